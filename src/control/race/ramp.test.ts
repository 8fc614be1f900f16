import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import type { Guardrail } from '../../judge/index.ts'
import { type RampMove, type RampSituation, toRampMove } from './ramp.ts'

const guardrail = (state: Guardrail['state']): Guardrail => ({ name: 'p99', state, detail: `is ${state}` })
const START: RampSituation = {
  steps: [0.05, 0.2, 0.5],
  weight: 0.05,
  others: 0,
  guardrails: [guardrail('quiet')],
  gates: [{ name: 'sample ratio', passed: true, detail: 'B 50 of 1000' }],
  lost: false,
}
const broken = { name: 'sample ratio', passed: false, detail: 'B 90 of 1000' }
const early = { name: 'labels of B', passed: false, detail: '100 wanted' }

describe('toRampMove()', () => {
  const rows: readonly [string, Partial<RampSituation>, RampMove][] = [
    ['takes the next step when all is quiet', {}, { kind: 'step', weight: 0.2 }],
    ['takes the last step', { weight: 0.2 }, { kind: 'step', weight: 0.5 }],
    ['has nothing to do after it', { weight: 0.5 }, { kind: 'done' }],
    ['goes on from a share that is no step', { weight: 0.1 }, { kind: 'step', weight: 0.2 }],
    ['waits for requests', { guardrails: [guardrail('watching')] }, { kind: 'hold', reason: 'p99: is watching' }],
    ['waits for the draw', { gates: [broken] }, { kind: 'hold', reason: 'sample ratio: B 90 of 1000' }],
    ['does not wait for labels', { gates: [early] }, { kind: 'step', weight: 0.2 }],
    [
      'leaves the champion a share',
      { weight: 0.2, others: 0.5 },
      { kind: 'hold', reason: 'other challengers have too large a share' },
    ],
    [
      'stops at a breach',
      { guardrails: [guardrail('quiet'), guardrail('breached')] },
      { kind: 'stop', reason: 'p99: is breached' },
    ],
    [
      'stops at a breach after its last step',
      { weight: 0.5, guardrails: [guardrail('breached')] },
      { kind: 'stop', reason: 'p99: is breached' },
    ],
    ['stops when the race is lost', { lost: true }, { kind: 'stop', reason: 'the champion is better' }],
  ]
  for (const [name, change, wanted] of rows)
    it(name, () => assert.deepEqual(toRampMove({ ...START, ...change }), wanted))

  it('never gives a share that is no step, nor a smaller one, nor any after a breach', () => {
    const share = fc.double({ min: 0.001, max: 0.999, noNaN: true })
    const state = fc.constantFrom('watching' as const, 'quiet' as const, 'breached' as const)
    fc.assert(
      fc.property(fc.array(share), share, share, fc.array(state), (steps, weight, others, states) => {
        const sorted = [...new Set(steps)].sort((a, b) => a - b)
        const move = toRampMove({ ...START, steps: sorted, weight, others, guardrails: states.map(guardrail) })
        assert.equal(move.kind === 'stop', states.includes('breached'))
        if (move.kind !== 'step') return
        assert.ok(sorted.includes(move.weight) && move.weight > weight && move.weight + others < 1)
        assert.ok(states.every(one => one === 'quiet'))
      }),
    )
  })
})
