import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addLook, emptyHistory, isDrifting, type RaceHistory, toStandingState } from './history.ts'
import type { Verdict } from './race.ts'

const stamp = { at: 7, spec: 'sha256:1', truthRevision: 3 }
const toLook = (more: Partial<Verdict>, passed = true): Verdict => ({
  ...{ state: 'keep-racing', reason: '', design: 'paired', estimate: 0, se: 1, n: 200, lower: -1, upper: 1 },
  ...{ logE: 0, p: 1, gates: [{ name: 'pairs', passed, detail: '' }] },
  ...more,
})
const look = (...verdicts: readonly Verdict[]): RaceHistory =>
  verdicts.reduce((history, verdict) => addLook(history, verdict, stamp), emptyHistory)

describe('addLook()', () => {
  it('keeps the smallest p', () => {
    assert.equal(look(toLook({ p: 0.3 }), toLook({ p: 0.9 })).p, 0.3)
    assert.equal(look(toLook({ p: 0.3 }, false), toLook({ p: 0.9 })).p, 0.3)
  })

  it('starts it anew with the first look that the gates of a split let decide', () => {
    const early = toLook({ p: 1e-9, design: 'split' }, false)
    assert.equal(look(early).p, 1e-9)
    assert.equal(look(early, toLook({ p: 0.9, design: 'split' })).p, 0.9)
    assert.equal(look(early, toLook({ p: 0.2, design: 'split' }), toLook({ p: 0.9, design: 'split' })).p, 0.2)
    assert.equal(look(toLook({ p: 0.5, design: 'split' }), early).p, 0.5)
  })

  it('writes the first decision down and lets it stand', () => {
    const first = toLook({ state: 'promote-B', lower: 0.1, upper: 0.5, n: 300, estimate: 0.3 })
    const history = look(first, toLook({ state: 'keep-racing', lower: -0.1, upper: 0.4, n: 400 }))
    assert.deepEqual(history.decision, {
      ...stamp,
      state: 'promote-B',
      n: 300,
      estimate: 0.3,
      se: 1,
      lower: 0.1,
      upper: 0.5,
    })
    assert.equal(toStandingState(history, toLook({})), 'promote-B')
    assert.equal(isDrifting(history), false)
  })

  it('sees a drift where no improvement fits all bounds, and does not flip the decision', () => {
    const up = toLook({ state: 'promote-B', lower: 0.1, upper: 0.5 })
    const down = toLook({ state: 'keep-A', lower: -0.5, upper: -0.1 })
    const history = look(up, down)
    assert.equal(isDrifting(history), true)
    assert.equal(toStandingState(history, down), 'promote-B')
    assert.equal(isDrifting(look(up, toLook({ lower: -9, upper: -8 }, false))), false)
  })

  it('remembers as JSON', () => {
    const history = look(toLook({ state: 'equivalent', lower: undefined, upper: undefined }))
    assert.deepEqual(JSON.parse(JSON.stringify(history)), history)
  })
})
