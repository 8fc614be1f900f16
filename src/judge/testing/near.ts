import assert from 'node:assert/strict'

/** Asserts that two numbers agree to a relative tolerance (absolute below 1). @default 1e-9 */
export function assertNear(found: number | undefined, wanted: number, tolerance = 1e-9): void {
  const off = Math.abs((found ?? Number.NaN) - wanted)
  assert.ok(off <= tolerance * Math.max(1, Math.abs(wanted)), `wanted ${wanted}, found ${found}`)
}
