/** Two significant digits, and no fraction of a hundred. */
export function toShort(x: number): string {
  return Math.abs(x) >= 100 && Math.abs(x) < 1e6 ? String(Math.round(x)) : String(Number(x.toPrecision(2)))
}

/** A share of 1 in whole percent. */
export function toPercent(share: number): string {
  return `${Math.round(share * 100)} %`
}
