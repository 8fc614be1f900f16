import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addLook, emptyHistory, emptyMoments, fold, judgeRace, type RaceRule, type Verdict } from '../../judge/index.ts'
import { toDecision, toDecisionJson, toShown } from './verdict.ts'

const RULE: RaceRule = {
  ...{ design: 'paired', dependent: false, binary: false, season: 1 },
  ...{ alpha: 0.05, tOpt: 1000, minGain: 0, margin: 0 },
}
/** What deterministic noise around a mean says. */
function toVerdict(count: number, mean: number): Verdict {
  const differences = Array.from({ length: count }, (_, at) => mean + Math.sin(at * 12.9898) * 2)
  const moments = differences.reduce(fold, emptyMoments)
  return judgeRace(RULE, { kind: 'paired', moments, discordant: count, dominance: 0.01 })
}

describe('toShown()', () => {
  const stamp = { race: 1, at: 1000, spec: 'sha256:1', truthRevision: 7 }
  const decided = toVerdict(500, 1)
  const decision = toDecision(stamp, decided)
  const history = addLook(emptyHistory, decided, stamp)
  const show = (now: Verdict) =>
    toShown(now, { decision, history: addLook(history, now, { ...stamp, at: 2000 }) }, undefined)
  const open = { decision: undefined, history: emptyHistory }

  it('keeps a decision that later labels only blur, and the smallest p', () => {
    const blurred: Verdict = { ...decided, state: 'keep-racing', lower: (decided.lower ?? 0) - 1, p: 0.5 }
    const { verdict, drift } = show(blurred)
    assert.deepEqual([verdict.state, verdict.lower, verdict.p, drift], ['promote-B', blurred.lower, decided.p, false])
  })

  it('raises drift instead of flipping', () => {
    const { verdict, drift } = show(toVerdict(5000, -1))
    assert.deepEqual([verdict.state, drift], ['promote-B', true])
    assert.match(verdict.reason, /contradict this: the improvement is between -1\.\d+ and -0\.9/)
  })

  it('calls a race inconclusive that ended before it could decide', () => {
    const { verdict } = toShown(toVerdict(500, 0), open, { at: 5, how: 'replaced' })
    assert.equal(verdict.state, 'inconclusive')
    assert.match(verdict.reason, /^The race ended before it could decide/)
    const spent = toShown(toVerdict(500, 0), open, { at: 5, how: 'spent' })
    assert.match(spent.verdict.reason, /^The race has spent its budget before it could decide/)
  })

  it('gives no figures before there are labels', () => {
    const { verdict } = toShown(toVerdict(0, 0), open, undefined)
    assert.deepEqual([verdict.estimate, verdict.lower, verdict.upper, verdict.se], [null, null, null, null])
  })

  it('survives as JSON', () => {
    const json = toDecisionJson(decision)
    assert.equal(json.at, new Date(1000).toISOString())
    assert.deepEqual(
      [json.state, json.lower, json.spec, json.truthRevision],
      ['promote-B', decided.lower, 'sha256:1', 7],
    )
  })
})
