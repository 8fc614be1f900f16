import { ENOUGH_DIGITS, KEPT_DIGITS, TENS, toFloatText, toShortestFloat32 } from './number-text.ts'

/*
 * A float32 that a decimal of at most nine digits stands for is written digit by digit: V8 takes several times as long to
 * find the digits of a double, which are known here. Whatever else there is (large, tiny, no number) goes the long way.
 */

/** Below it JavaScript writes exponents. */
const LEAST = 1e-6
/** From it on a float32 is a whole number that takes the long way. */
const TOO_LARGE = 2 ** 24
/** A product so close to the middle between two whole numbers may be rounded to the wrong one. */
const DOUBT = 1e-6

/** A number takes less. */
const NUMBER_BYTES = 32
const memory = Buffer.allocUnsafe(1024 * NUMBER_BYTES)
const [ZERO, DOT, MINUS, COMMA] = [0x30, 0x2e, 0x2d, 0x2c]

/**
 * The shortest texts of `length` float32 numbers from `start` on that read back as the same, with commas between, each as
 * `toFloatText` has it.
 */
export function toFloat32List(values: Float32Array, start = 0, length = values.length): string {
  let text = ''
  let at = 0
  for (let index = start; index < start + length; index += 1) {
    if (at > memory.length - NUMBER_BYTES) {
      text += memory.toString('latin1', 0, at)
      at = 0
    }
    if (index > start) memory[at++] = COMMA
    at = putFloat32(values[index] ?? 0, at)
  }
  return text + memory.toString('latin1', 0, at)
}

function putFloat32(value: number, start: number): number {
  const size = Math.abs(value)
  const at = value < 0 || Object.is(value, -0) ? putByte(start, MINUS) : start
  // Not so for NaN either.
  if (size >= LEAST && size < TOO_LARGE) {
    if (Number.isInteger(size)) return putDecimal(size, 0, at)
    const exponent = Math.floor(Math.log10(size))
    for (let digits = KEPT_DIGITS; digits <= ENOUGH_DIGITS; digits += 1) {
      const decimals = digits - 1 - exponent
      const scale = TENS[decimals] ?? 0
      const scaled = size * scale
      const whole = Math.round(scaled)
      if (Math.fround(whole / scale) !== size) continue
      if (digits === ENOUGH_DIGITS && Math.abs(Math.abs(scaled - whole) - 0.5) < DOUBT) break
      return putDecimal(whole, decimals, at)
    }
  }
  return at + memory.write(toFloatText(toShortestFloat32(size)), at, 'latin1')
}

function putByte(at: number, byte: number): number {
  memory[at] = byte
  return at + 1
}

/** Writes `digits / 10 ** decimals`; a whole number ends in `.0`. */
function putDecimal(digits: number, decimals: number, start: number): number {
  let [rest, left] = [digits, decimals]
  for (; left > 0 && rest % 10 === 0; left -= 1) rest /= 10
  const scale = TENS[left] ?? 1
  const whole = Math.floor(rest / scale)
  const at = putByte(putWhole(whole, start, 1), DOT)
  return left === 0 ? putByte(at, ZERO) : putWhole(rest - whole * scale, at, left)
}

/** Writes a whole number with at least so many digits. */
function putWhole(value: number, start: number, least: number): number {
  let length = least
  while (value >= (TENS[length] ?? Number.POSITIVE_INFINITY)) length += 1
  let rest = value
  for (let at = start + length - 1; at >= start; at -= 1) {
    const next = Math.floor(rest / 10)
    memory[at] = ZERO + rest - next * 10
    rest = next
  }
  return start + length
}
