import assert from 'node:assert/strict'
import fc from 'fast-check'
import { TensorError } from '../errors.ts'

/** A message with up to four bytes that are others, cut off anywhere or nowhere. */
export function anyDamage(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  const anyByte = fc.tuple(fc.nat({ max: valid.length - 1 }), fc.integer({ min: 0, max: 255 }))
  return fc
    .tuple(fc.array(anyByte, { maxLength: 4 }), fc.oneof(fc.constant(0), fc.nat({ max: valid.length })))
    .map(([damage, cut]) => {
      const bytes = valid.slice(0, valid.length - cut)
      for (const [at, byte] of damage) bytes[at] = byte
      return bytes
    })
}

/** What a reader makes of bytes, or undefined where it refuses them; any other error than its own fails the test. */
export function attempt<value>(read: () => value): value | undefined {
  try {
    return read()
  } catch (error) {
    assert.ok(error instanceof TensorError, `not a TensorError: ${error}`)
    return undefined
  }
}
