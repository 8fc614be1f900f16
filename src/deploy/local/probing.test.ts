import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { foldProbe, type ProbeAnswer, toFreshHistory, toProbeVerdict } from './probing.ts'
import { withDefaultTimings } from './timings.ts'

const timings = withDefaultTimings({ missesToFail: 3, missesToKill: 5, startTimeoutMs: 1000, probeEveryMs: 100 })

/** What a series of probes, one each 100 ms from 0, comes to: r(eady), n(ot ready), s(ilent). */
function judge(probes: string): string {
  let now = 0
  let history = toFreshHistory(0)
  for (const letter of probes) {
    const kind = ({ r: 'ready', n: 'refused', s: 'silent' } as const)[letter]
    assert.ok(kind !== undefined)
    const answer: ProbeAnswer = kind === 'ready' ? { kind } : { kind, text: 'a reason' }
    history = foldProbe(history, answer, now)
    now += 100
  }
  const verdict = toProbeVerdict(history, now, timings)
  if (verdict.kind !== 'health') return verdict.kind
  return verdict.health.state === 'failing' ? verdict.health.code : verdict.health.state
}

describe('toProbeVerdict()', () => {
  const cases: readonly [name: string, probes: string, wanted: string][] = [
    ['the first 200 makes it ready', 'nnnr', 'ready'],
    ['it may be not ready for as long as a start takes', 'nnnnnnnnn', 'same'],
    ['and is failing from then on', 'nnnnnnnnnn', 'NOT_READY'],
    ['two misses change nothing', 'rnn', 'same'],
    ['three refusals make it failing', 'rnnn', 'NOT_READY'],
    ['refusals alone never kill it', 'rnnnnnnnnnnnnnnnnnnnnnnnn', 'NOT_READY'],
    ['three silences make it failing', 'rsss', 'UNRESPONSIVE'],
    ['also before it was ever ready', 'sss', 'UNRESPONSIVE'],
    ['five silences kill it', 'rsssss', 'kill'],
    ['a refusal ends a row of silences', 'rssnss', 'NOT_READY'],
    ['one 200 mends all', 'rssssr', 'ready'],
  ]
  for (const [name, probes, wanted] of cases) it(`${name}: ${probes}`, () => assert.equal(judge(probes), wanted))
})
