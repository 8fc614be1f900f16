import assert from 'node:assert/strict'

/** Asserts that two numbers agree to a relative tolerance (absolute below 1). @default 1e-9 */
export function assertNear(found: number | undefined, wanted: number, tolerance = 1e-9): void {
  const off = Math.abs((found ?? Number.NaN) - wanted)
  assert.ok(off <= tolerance * Math.max(1, Math.abs(wanted)), `wanted ${wanted}, found ${found}`)
}

/** Asserts that a number agrees with a published one to a relative tolerance; figures of 1e-12 and less pass for 0. */
export function assertAgrees(found: number | undefined, wanted: number | undefined, tolerance = 1e-9): void {
  const off = Math.abs((found ?? Number.NaN) - (wanted ?? Number.NaN))
  assert.ok(off <= tolerance * Math.abs(wanted ?? 0) + 1e-12, `wanted ${wanted}, found ${found}`)
}
