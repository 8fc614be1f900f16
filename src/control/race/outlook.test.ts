import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toLabelsNeeded } from '../../judge/index.ts'
import { type Arrival, noteArrival, toLabelsPerDay } from './arrivals.ts'
import { toOutlook } from './outlook.ts'

const DAY = 86_400_000
const spec = { alpha: 0.05, tOpt: 1000, minGain: 0 }
const verdict = { state: 'keep-racing', estimate: 0.1, se: 0.05, n: 400 } as const

describe('toOutlook()', () => {
  it('tells the labels that the smallest wanted gain needs, and until when', () => {
    const outlook = toOutlook({ spec: { ...spec, minGain: 0.1 }, verdict, labelsPerDay: 100, now: 0 })
    const labels = toLabelsNeeded(0.1, 1, spec) ?? 0
    const at = new Date(((labels - 400) / 100) * DAY).toISOString()
    assert.deepEqual(outlook, {
      gain: 0.1,
      from: 'min-gain',
      labels: { low: labels, high: labels },
      labelsPerDay: 100,
      expected: { from: at, to: at },
    })
  })

  it('tells a range where no gain is wanted', () => {
    const outlook = toOutlook({ spec, verdict, labelsPerDay: undefined, now: 0 })
    assert.ok(outlook !== null && outlook.labels.high !== null)
    assert.ok(outlook.labels.low < outlook.labels.high)
    assert.deepEqual([outlook.from, outlook.labelsPerDay, outlook.expected.from], ['estimate', null, null])
  })

  it('knows no end for a difference that may be none', () => {
    const outlook = toOutlook({ spec, verdict: { ...verdict, estimate: 0.01 }, labelsPerDay: 1e6, now: 0 })
    assert.equal(outlook?.labels.high, null)
    assert.equal(outlook?.expected.to, null)
    assert.notEqual(outlook?.expected.from, null)
  })

  it('is due now where the labels are there already', () => {
    const facts = { spec: { ...spec, minGain: 1 }, verdict, labelsPerDay: 1, now: DAY }
    assert.equal(toOutlook(facts)?.expected.to, '1970-01-02T00:00:00.000Z')
  })

  it('names no date beyond a hundred years', () => {
    const facts = { spec: { ...spec, minGain: 0.001 }, verdict, labelsPerDay: 1, now: 0 }
    assert.deepEqual(toOutlook(facts)?.expected, { from: null, to: null })
  })

  for (const [name, more] of [
    ['a verdict', { state: 'keep-A' }],
    ['one label', { n: 1 }],
    ['no spread', { se: 0 }],
  ] as const) {
    it(`has nothing to say of ${name}`, () => {
      assert.equal(toOutlook({ spec, verdict: { ...verdict, ...more }, labelsPerDay: 1, now: 0 }), null)
    })
  }
})

describe('toLabelsPerDay()', () => {
  it('counts from the race where control has just started', () => {
    const now = { at: 2 * DAY, labels: 600 }
    assert.equal(toLabelsPerDay(noteArrival([], now), now, 0), 300)
  })
  it('counts what came within the last day', () => {
    let arrivals: readonly Arrival[] = []
    for (let hour = 0; hour <= 72; hour++) {
      arrivals = noteArrival(arrivals, { at: (hour * DAY) / 24, labels: hour < 48 ? 0 : (hour - 48) * 10 })
    }
    assert.equal(arrivals.length, 25)
    assert.equal(toLabelsPerDay(arrivals, { at: 3 * DAY, labels: 240 }, 0), 240)
  })
  it('counts anew where fewer count than before', () => {
    const before = noteArrival([], { at: 0, labels: 900 })
    const fewer = noteArrival(before, { at: DAY / 2, labels: 100 })
    assert.equal(toLabelsPerDay(fewer, { at: DAY, labels: 160 }, 0), 120)
  })
  it('keeps one note a minute', () => {
    const first = noteArrival([], { at: 0, labels: 1 })
    assert.equal(noteArrival(first, { at: 59_999, labels: 2 }), first)
  })
  it('knows nothing of the first minute, nor of labels that do not come', () => {
    assert.equal(toLabelsPerDay([], { at: 59_999, labels: 5 }, 0), undefined)
    assert.equal(toLabelsPerDay([{ at: 0, labels: 5 }], { at: DAY, labels: 5 }, 0), undefined)
  })
})
