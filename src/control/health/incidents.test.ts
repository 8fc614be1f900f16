import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NewIncidents, toIncidents, toVerdictIncident, type WatchedRace } from './incidents.ts'

const provisional = { labels: 0, meanLoss: null }
const maturity = { predictions: 1, labelled: 1, missing: 0, provisional }
const arm = { digest: '', params: {}, predictions: 1, labels: 1, meanLoss: 1, maturity, lateness: null }
const race: WatchedRace = {
  race: 3,
  variants: [
    { ...arm, name: 'a', version: 1, role: 'A' },
    { ...arm, name: 'b', version: 2, role: 'B' },
  ],
  verdict: {
    ...{ state: 'promote-B', reason: 'b is better', estimate: 1, lower: 0.5, upper: 2, se: 0.1, labels: 10, p: 0.01 },
    ...{ logE: 5, gates: [] },
  },
  decision: null,
  drift: false,
}
const gate = (name: string, passed: boolean) => ({ name, passed, detail: 'B 500 wanted, B 300 found' })
const withGates = (...gates: ReturnType<typeof gate>[]): WatchedRace => ({
  ...race,
  verdict: { ...race.verdict, gates },
})

describe('toIncidents()', () => {
  it('finds nothing wrong with a quiet race', () => {
    assert.deepEqual(toIncidents(withGates(gate('pairs', false), gate('sample ratio', true))), [])
  })
  it('finds drift, broken guardrails and mismatches', () => {
    const wrong = {
      ...withGates(gate('sample ratio', false), gate('label ratio', false)),
      drift: true,
      guardrails: [
        { name: 'p99', state: 'breached', detail: '1.5x wanted, 3.1x found' },
        { name: 'errorRate', state: 'quiet', detail: '' },
      ],
    }
    const found = toIncidents(wrong)
    assert.deepEqual(
      found.map(({ kind, key }) => [kind, key]),
      [
        ['drift', ''],
        ['guardrail', 'p99'],
        ['mismatch', 'sample ratio'],
        ['mismatch', 'label ratio'],
      ],
    )
    assert.equal(found[1]?.text, 'Race 3 (a v1 against b v2): guardrail p99. 1.5x wanted, 3.1x found')
  })
})

describe('toVerdictIncident()', () => {
  it('says what was decided', () => {
    assert.equal(toVerdictIncident(race).text, 'Race 3 (a v1 against b v2): promote-B. b is better')
  })
})

describe('NewIncidents', () => {
  it('tells each incident once, and one that comes back not again', () => {
    const incidents = new NewIncidents()
    const drifting = { ...race, drift: true }
    assert.deepEqual(incidents.note(race), [])
    assert.deepEqual(
      incidents.note(drifting).map(({ kind }) => kind),
      ['drift'],
    )
    for (const look of [drifting, race, drifting]) assert.deepEqual(incidents.note(look), [])
    assert.equal(incidents.note({ ...withGates(gate('sample ratio', false)), drift: true }).length, 1)
  })

  it('does not tell what was there when control started, but what a later race shows at its first look', () => {
    const incidents = new NewIncidents()
    assert.deepEqual(incidents.note({ ...race, drift: true }), [])
    assert.equal(incidents.note({ ...race, race: 4, drift: true }).length, 1)
    assert.deepEqual(incidents.note({ ...race, race: 2, drift: true }), [])
  })
})
