/** Significant digits that any decimal keeps through binary32 and back (C, FLT_DIG). */
export const KEPT_DIGITS = 6
/** Significant digits that any binary32 needs at most (C, FLT_DECIMAL_DIG). */
export const ENOUGH_DIGITS = 9
/** Powers of ten that a double holds exactly. */
export const TENS: readonly number[] = Array.from({ length: 23 }, (_, power) => 10 ** power)

/** The double whose shortest text is the shortest decimal that reads back as the given binary32 number. */
export function toShortestFloat32(value: number): number {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 24) return value
  if (!Number.isFinite(value)) return value
  const exponent = Math.floor(Math.log10(Math.abs(value)))
  // Subnormal numbers keep fewer digits.
  const least = Math.abs(value) < 2 ** -126 ? 1 : KEPT_DIGITS
  for (let digits = least; digits < ENOUGH_DIGITS; digits += 1) {
    const near = roundAt(value, digits - 1 - exponent, digits)
    if (Math.fround(near) === value) return near
  }
  return Number(value.toPrecision(ENOUGH_DIGITS))
}

/** Rounds to so many decimals; where that power of ten is not exact in a double, by the exact but slow way. */
function roundAt(value: number, decimals: number, digits: number): number {
  const scale = TENS[decimals]
  return scale === undefined ? Number(value.toPrecision(digits)) : Math.round(value * scale) / scale
}

/**
 * A float as TensorFlow Serving writes it: whole numbers end in `.0`, and the three numbers that JSON lacks are the
 * bare words that its own parser takes (tensorflow_serving/util/json_tensor.cc, `WriteDecimal`).
 */
export function toFloatText(value: number): string {
  if (Number.isInteger(value)) {
    const text = Object.is(value, -0) ? '-0' : String(value)
    return text.includes('e') ? text : `${text}.0`
  }
  return String(value)
}
