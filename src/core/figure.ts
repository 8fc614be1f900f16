/** A number in four significant digits, without an exponent for everyday sizes; a dash where there is none. */
export function toFigure(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7)) return value.toExponential(3)
  return Number(value.toPrecision(4)).toString()
}
