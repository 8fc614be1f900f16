import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Refusal } from '../errors.ts'
import type { Service } from '../model.ts'
import { type Admission, type Arrival, toAdmission } from './admission.ts'

/** An admission of a server that serves a model, or does not yet, or stops. */
function open({ isServing = true, isStopping = false } = {}): Admission {
  const catalog = { isServing, names: ['m'], versions: () => [] }
  const stopping = isStopping ? AbortSignal.abort() : new AbortController().signal
  // The rest of a service has no part in it.
  const service = { catalog, stopping } as unknown as Service
  return toAdmission(service, { maxInFlight: 2, maxInFlightBytes: 100 })
}

const toCode = (admitted: ReturnType<Admission['admit']>): string =>
  admitted instanceof Refusal ? admitted.code : 'admitted'
function end(admitted: ReturnType<Admission['admit']>): void {
  assert.ok(typeof admitted === 'function')
  admitted()
}
const prediction = (bodyBytes = 0): Arrival => ({ kind: 'prediction', bodyBytes })

describe('toAdmission()', () => {
  it('refuses predictions, and nothing else, where none can be made', () => {
    for (const state of [{ isServing: false }, { isStopping: true }]) {
      const admission = open(state)
      const kinds = ['prediction', 'question', 'probe'] as const
      const codes = kinds.map(kind => toCode(admission.admit({ kind, bodyBytes: 0 })))
      assert.deepEqual(codes, ['NOT_READY', 'admitted', 'admitted'])
      assert.equal(toCode(admission.admit({ kind: 'question', bodyBytes: 1 })), 'admitted')
    }
  })

  it('bounds requests, and lets another in once one is over', () => {
    const admission = open()
    const first = admission.admit(prediction())
    assert.deepEqual([toCode(first), toCode(admission.admit(prediction()))], ['admitted', 'admitted'])
    assert.deepEqual([toCode(admission.admit(prediction())), admission.inFlight], ['OVERLOADED', 2])
    assert.equal(toCode(admission.admit({ kind: 'question', bodyBytes: 0 })), 'admitted')
    assert.equal(toCode(admission.admit({ kind: 'question', bodyBytes: 1 })), 'OVERLOADED')
    end(first)
    assert.deepEqual([toCode(admission.admit(prediction())), admission.inFlight], ['admitted', 2])
  })

  it('bounds the bytes of all, as they are declared and as they grow', () => {
    const admission = open()
    assert.equal(toCode(admission.admit(prediction(101))), 'OVERLOADED')
    const first = admission.admit(prediction(60))
    const grown = admission.reserve(40)
    assert.throws(() => admission.reserve(1), { code: 'OVERLOADED' })
    assert.equal(toCode(admission.admit(prediction(1))), 'OVERLOADED')
    grown()
    assert.equal(toCode(admission.admit(prediction(40))), 'admitted')
    assert.throws(() => admission.reserve(1), { code: 'OVERLOADED' })
    end(first)
    admission.reserve(60)()
  })
})
