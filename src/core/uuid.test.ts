import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isSampled, parsePredictionId, toUuidV7 } from './uuid.ts'

const instant = fc.integer({ min: 0, max: 2 ** 48 - 1 })
const random = fc.uint8Array({ minLength: 10, maxLength: 10 })
const V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('isSampled()', () => {
  const ids = Array.from({ length: 4000 }, (_, n) => toUuidV7(n, createHash('sha256').update(String(n)).digest()))
  it('takes about the share, and whoever is in it is in every larger one', () => {
    const few = ids.filter(id => isSampled(id, 0.1))
    // Four standard deviations of a share of 4000.
    assert.ok(Math.abs(few.length / 4000 - 0.1) < 4 * Math.sqrt(0.09 / 4000), `${few.length}`)
    assert.ok(few.every(id => isSampled(id, 0.2)))
    assert.ok(!ids.some(id => isSampled(id, 0)) && ids.every(id => isSampled(id, 1)))
  })
})

describe('toUuidV7()', () => {
  it('gives the example of RFC 9562, appendix A.6', () => {
    const bytes = Buffer.from('0cc318c4dc0c0c07398f', 'hex')
    assert.equal(toUuidV7(0x017f22e279b0, bytes), '017f22e2-79b0-7cc3-98c4-dc0c0c07398f')
  })
  it('has version 7, variant 10 and its instant in the first 48 bits', () => {
    fc.assert(
      fc.property(instant, random, (at, bytes) => {
        const uuid = toUuidV7(at, bytes)
        assert.match(uuid, V7)
        assert.equal(Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16), at)
      }),
    )
  })
  it('sorts as text as its instants do', () => {
    fc.assert(
      fc.property(instant, instant, random, random, (a, b, one, two) => {
        fc.pre(a < b)
        assert.ok(toUuidV7(a, one) < toUuidV7(b, two))
      }),
    )
  })
  it('takes an instant between two milliseconds for the earlier one', () => {
    assert.equal(toUuidV7(5.9, new Uint8Array(10)), toUuidV7(5, new Uint8Array(10)))
  })
})

describe('parsePredictionId()', () => {
  const id = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f'
  it('reads what toUuidV7() made, with and without a row', () => {
    fc.assert(
      fc.property(instant, random, fc.integer({ min: 0, max: 999_999 }), (at, bytes, row) => {
        const request = toUuidV7(at, bytes)
        assert.deepEqual(parsePredictionId(request), { request, row: 0 })
        assert.deepEqual(parsePredictionId(`${request.toUpperCase()}/${row}`), { request, row })
      }),
    )
  })
  const WRONG = ['', 'x', `${id}/`, `${id}/01`, `${id}/-1`, `${id}/1/2`, `${id}/1000000`, ` ${id}`, `${id}\n`]
  for (const text of WRONG) {
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => parsePredictionId(text), { code: 'PREDICTION_ID', fix: /./ }))
  }
})
