import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ArmJson, OutlookJson } from '../api/race.ts'
import { type NotedRace, toRaceNotes } from './notes.ts'

const toArm = (role: ArmJson['role']): ArmJson => ({
  ...{ name: role.toLowerCase(), version: 1, digest: '', role, params: {} },
  ...{ predictions: 540, labels: 500, meanLoss: 1, lateness: null },
  maturity: { predictions: 520, labelled: 500, missing: 20, provisional: { labels: 0, meanLoss: null } },
})
const [a, b] = [toArm('A'), toArm('B')]
const RACE: NotedRace = {
  design: 'paired',
  maturityMs: 0,
  variants: [a, b],
  outlook: null,
  verdict: {
    ...{ state: 'keep-racing', reason: '', estimate: 1, lower: -1, upper: 3, se: 1, labels: 50, p: 1, logE: 0 },
    gates: [],
  },
  refused: 0,
  truths: { new: 500, duplicate: 0, revised: 0, stale: 0, conflict: 0, orphan: 0 },
}

describe('toRaceNotes()', () => {
  it('have nothing to say of a race that judges at once and has decided', () => {
    assert.deepEqual(toRaceNotes(RACE, false), [])
  })

  it('mark what is provisional while predictions are too young to be judged', () => {
    const maturity = { ...a.maturity, provisional: { labels: 12, meanLoss: 0.25 } }
    const young = { ...a, maturity, lateness: { medianMs: 5_400_000, p95Ms: 172_800_000 } }
    assert.deepEqual(toRaceNotes({ ...RACE, maturityMs: 129_600_000, variants: [young, b] }, false), [
      { name: 'judged', detail: 'predictions from the age of 1.5 d; with a truth A 500 of 520; B 500 of 520' },
      { name: 'provisional, not judged', detail: 'A 12 with a mean loss of 0.25; B none' },
      { name: 'truth takes', detail: 'A 1.5 h (95 % within 2 d)' },
    ])
  })

  it('say that the configuration has another rule by now', () => {
    assert.match(toRaceNotes(RACE, true)[0]?.detail ?? '', /that of the start .* another by now/)
  })

  it('say that no truth has come, as long as that is so', () => {
    const maturity = { ...a.maturity, labelled: 0, missing: 520 }
    const silent = { ...a, labels: 0, maturity }
    const of = (variants: NotedRace['variants']) => toRaceNotes({ ...RACE, variants }, false)
    assert.match(of([silent, silent])[0]?.detail ?? '', /none has come of these predictions: regatta truth FILE/)
    const young = { ...silent, maturity: { ...maturity, provisional: { labels: 1, meanLoss: 1 } } }
    for (const other of [a, young]) assert.doesNotMatch(JSON.stringify(of([silent, other])), /none/)
    const none = { ...silent, predictions: 0 }
    assert.deepEqual(of([none, none]), [])
  })

  it('say how many labels of a split are compared, where not all are', () => {
    const of = (labels: number) =>
      toRaceNotes({ ...RACE, design: 'epochs', verdict: { ...RACE.verdict, labels } }, false)
    assert.match(of(999)[0]?.detail ?? '', /^999 of 1,000 labels: those of a draw by chance, in epochs/)
    assert.deepEqual(of(1000), [])
  })

  it('count truths that do not help', () => {
    const truths = { ...RACE.truths, orphan: 1200 }
    assert.deepEqual(toRaceNotes({ ...RACE, truths, refused: 3 }, false), [
      { name: 'truths that match no prediction so far', detail: '1,200' },
      { name: 'predictions whose truth gives no finite loss', detail: '3' },
    ])
  })

  const noon = '2026-12-01T12:00:00.000Z'
  const wanted: OutlookJson = {
    ...{ gain: 0.5, from: 'min-gain', labels: { low: 4200, high: 4200 }, labelsPerDay: 1240.4 },
    expected: { from: noon, to: noon },
  }
  const ofNow = { ...wanted, from: 'estimate' } as const
  const cases: readonly (readonly [string, OutlookJson, string])[] = [
    [
      'until when the labels of a wanted gain are there',
      wanted,
      'about 4,200 labels in all for a gain of 0.5, 4,150 more; at 1,240 a day until 2026-12-01 12:00 UTC',
    ],
    [
      'a range for a difference as it looks now',
      { ...ofNow, labels: { low: 900, high: 1900 }, expected: { from: noon, to: '2026-12-02T12:00:00.000Z' } },
      '900 to 1,900 labels in all for the difference of now (0.5); at 1,240 a day between 2026-12-01 12:00 UTC and 2026-12-02 12:00 UTC',
    ],
    [
      'no end of a range without one',
      { ...ofNow, labels: { low: 900, high: null }, expected: { from: noon, to: null } },
      '900 or more labels in all for the difference of now (0.5); at 1,240 a day not before 2026-12-01 12:00 UTC',
    ],
    [
      'no date without a rate',
      { ...wanted, labelsPerDay: null },
      'about 4,200 labels in all for a gain of 0.5, 4,150 more',
    ],
    [
      'no date beyond a hundred years',
      { ...wanted, expected: { from: null, to: null } },
      'about 4,200 labels in all for a gain of 0.5, 4,150 more; at 1,240 a day not within a hundred years',
    ],
  ]
  for (const [name, outlook, detail] of cases) {
    it(`tell ${name}`, () => assert.deepEqual(toRaceNotes({ ...RACE, outlook }, false), [{ name: 'needed', detail }]))
  }
})
