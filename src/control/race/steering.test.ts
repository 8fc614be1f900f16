import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDigest, parseVariantName } from '../../core/brands.ts'
import { emptyMoments, fold, type Guardrail, judgeRace } from '../../judge/index.ts'
import type { RaceSpec, StoredRace } from '../../store/index.ts'
import { toProject } from '../testing/place.ts'
import { toRaceRule, toRaceSpec } from './rule.ts'
import { type Action, type Course, toAction } from './steering.ts'
import { toDecision } from './verdict.ts'

const DAY_MS = 86_400_000
const quiet: Guardrail = { name: 'error rate', state: 'quiet', detail: '0 of 900' }
const watching: Guardrail = { ...quiet, state: 'watching' }
const breached: Guardrail = { ...quiet, state: 'breached', detail: '90 of 900' }

function toRace(more: Partial<RaceSpec> = {}): StoredRace {
  const spec = { ...toRaceSpec(toProject('', {}), []), ...more }
  return { id: 1, a: 1, b: 2, design: 'split', spec, startedAt: 0, ended: undefined }
}

/** What 500 labels of this improvement say. */
function judged(mean: number): Pick<Course, 'verdict' | 'decision'> {
  const differences = Array.from({ length: 500 }, (_, at) => mean + Math.sin(at * 12.9898) * 2)
  const moments = differences.reduce(fold, emptyMoments)
  const rule = toRaceRule({ ...toRace(), design: 'paired' }, 1)
  const verdict = judgeRace(rule, { kind: 'paired', moments, discordant: 500, dominance: 0 })
  const stamp = { race: 1, at: 0, spec: '', truthRevision: 500 }
  return { verdict, decision: verdict.state === 'keep-racing' ? undefined : toDecision(stamp, verdict) }
}

const [better, worse, open] = [judged(1), judged(-1), judged(0)]
const split: Course['challenger'] = {
  id: 2,
  name: parseVariantName('b'),
  version: 2,
  digest: parseDigest(`sha256:${'b'.repeat(64)}`),
  role: 'split',
  weight: 0.05,
}
const ramp = { ...split, ramp: [0.05, 0.2] }
const shadow = { ...split, role: 'shadow', weight: 0 } as const
const START: Course = { race: toRace(), ...open, drift: false, guardrails: [quiet], challenger: split, others: 0 }

describe('toAction()', () => {
  const stop = { kind: 'withdraw', how: 'stopped', reason: 'error rate: 90 of 900' } as const
  const none = { kind: 'none' } as const
  const promote = { kind: 'promote', reason: better.verdict.reason } as const
  const rows: readonly [string, Partial<Course>, Action][] = [
    ['lets an undecided race go on', {}, none],
    ['stops a split at a breach', { guardrails: [breached] }, stop],
    ['stops it though it wins', { ...better, guardrails: [breached] }, stop],
    [
      'neither stops nor promotes a shadow at a breach',
      { ...better, challenger: shadow, guardrails: [breached] },
      none,
    ],
    ['promotes what is better', better, promote],
    ['promotes out of a ramp', { ...better, challenger: ramp }, promote],
    ['promotes a better shadow without guardrails', { ...better, challenger: shadow, guardrails: [] }, promote],
    ['waits with a promotion for the guardrails', { ...better, guardrails: [watching] }, none],
    [
      'promotes nothing while a gate is closed',
      { ...better, verdict: { ...better.verdict, gates: [{ name: 'pairs', passed: false, detail: '' }] } },
      none,
    ],
    ['promotes nothing that has drifted', { ...better, drift: true }, none],
    ['promotes nothing that is no longer certain', { ...open, decision: better.decision }, none],
    ['leaves a share by hand to a worse challenger', worse, none],
    [
      'ends the ramp of a worse challenger',
      { ...worse, challenger: ramp },
      { kind: 'withdraw', how: 'stopped', reason: 'the champion is better' },
    ],
    ['moves a ramp', { challenger: ramp }, { kind: 'step', weight: 0.2, reason: 'from 5 % to 20 % of the requests' }],
    ['keeps a ramp that waits', { challenger: ramp, guardrails: [watching] }, none],
    [
      'ends what has spent its labels',
      { race: toRace({ budget: { labels: 500 } }) },
      { kind: 'withdraw', how: 'spent', reason: '500 labels without a verdict' },
    ],
    ['ends nothing before', { race: toRace({ budget: { labels: 501, days: 3 } }) }, none],
    [
      'ends what has spent its days',
      { race: toRace({ budget: { days: 2 } }), challenger: shadow },
      { kind: 'withdraw', how: 'spent', reason: '2 days without a verdict' },
    ],
    ['ends nothing that is decided', { ...worse, race: toRace({ budget: { labels: 5 } }) }, none],
  ]
  for (const [name, change, wanted] of rows)
    it(name, () => assert.deepEqual(toAction({ ...START, ...change }, { promote: 'auto', now: 2 * DAY_MS }), wanted))

  it('leaves a promotion to whoever wants to be asked', () => {
    assert.deepEqual(toAction({ ...START, ...better }, { promote: 'ask', now: 0 }), none)
  })
})
