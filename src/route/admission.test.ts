import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toAdmission } from './admission.ts'

describe('toAdmission()', () => {
  it('lets in as many requests as there is room for, and another when one is over', () => {
    const { admit } = toAdmission({ maxInFlight: 2, maxInFlightBytes: 100 })
    const first = admit(10)
    assert.notEqual(admit(10), 'full')
    assert.equal(admit(0), 'full')
    assert.ok(first !== 'full')
    first()
    assert.notEqual(admit(0), 'full')
  })

  it('counts the bytes too', () => {
    const { admit } = toAdmission({ maxInFlight: 9, maxInFlightBytes: 100 })
    assert.equal(admit(101), 'full')
    const first = admit(100)
    assert.equal(admit(1), 'full')
    assert.ok(first !== 'full')
    first()
    assert.notEqual(admit(1), 'full')
  })

  it('counts bytes of requests that are in', () => {
    const { reserve, isLoaded, admit } = toAdmission({ maxInFlight: 9, maxInFlightBytes: 100 })
    const release = reserve(60)
    assert.ok(release !== 'full')
    assert.deepEqual([isLoaded(), reserve(41), admit(41)], [true, 'full', 'full'])
    release()
    assert.deepEqual([isLoaded(), reserve(100) === 'full'], [false, false])
  })

  it('is loaded once more than half of the room is taken', () => {
    const { admit, isLoaded } = toAdmission({ maxInFlight: 4, maxInFlightBytes: 100 })
    admit(10)
    admit(10)
    assert.equal(isLoaded(), false)
    const third = admit(10)
    assert.equal(isLoaded(), true)
    assert.ok(third !== 'full')
    third()
    assert.equal(isLoaded(), false)
    admit(40)
    assert.equal(isLoaded(), true)
  })
})
