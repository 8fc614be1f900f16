const scratch = new DataView(new ArrayBuffer(4))

/**
 * Rounds a number to IEEE 754 binary16 (to nearest, ties to even) and returns its 16 bits.
 * Numbers from 65520 on become infinity.
 */
export function toHalfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (Number.isNaN(value)) return 0x7e00
  if (size >= 65520) return sign | 0x7c00
  // Below 2^-14 halves are subnormal: multiples of 2^-24, whose count is the bit pattern.
  if (size < 2 ** -14) return sign | roundToEven(size * 2 ** 24)
  const exponent = Math.min(15, exponentOf(size))
  // 1.f × 2^exponent: a fraction that rounds up to 1024 carries into the exponent by itself.
  return sign | (((exponent + 15) << 10) + roundToEven((size / 2 ** exponent - 1) * 1024))
}

/** The number that 16 bits of IEEE 754 binary16 stand for. */
export function fromHalfBits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

function exponentOf(size: number): number {
  scratch.setFloat32(0, size)
  // binary32 may round a size just below a power of two up to it: then one is too many.
  const exponent = ((scratch.getUint32(0) >> 23) & 0xff) - 127
  return 2 ** exponent > size ? exponent - 1 : exponent
}

function roundToEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}
