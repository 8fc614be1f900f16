import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MetricLog, parseMetricLine } from './metrics.ts'

describe('parseMetricLine()', () => {
  const table = [
    ['an epoch', '{"epoch":3,"loss":1.5}', { step: 3, values: { loss: 1.5 }, notFinite: [] }],
    ['a step', ' {"step": 0.5, "a": 1, "b": -2e3}\t', { step: 0.5, values: { a: 1, b: -2000 }, notFinite: [] }],
    ['no step', '{"loss":0}', { step: undefined, values: { loss: 0 }, notFinite: [] }],
    [
      'other keys beside numbers',
      '{"loss":1,"phase":"warm: NaN, up"}',
      { step: undefined, values: { loss: 1 }, notFinite: [] },
    ],
    ["Python's NaN", '{"epoch": 1, "loss": NaN}', { step: 1, values: {}, notFinite: ['loss'] }],
    [
      "Python's infinities",
      '{"a": Infinity,"b":-Infinity ,"c":1}',
      { step: undefined, values: { c: 1 }, notFinite: ['a', 'b'] },
    ],
    ['a number beyond doubles', '{"a":1e999}', { step: undefined, values: {}, notFinite: ['a'] }],
    ['a step alone', '{"epoch":3}', undefined],
    ['an object without numbers', '{"msg":"hi"}', undefined],
    ['a nested number', '{"a":{"b":1}}', undefined],
    ['a list', '[1]', undefined],
    ['text', 'loss: 1.5', undefined],
    ['a piece of JSON', '{"epoch":3,"lo}', undefined],
  ] as const
  for (const [name, line, wanted] of table) {
    it(`reads ${name}`, () => assert.deepEqual(parseMetricLine(line), wanted))
  }

  it('reads or leaves any line', () => {
    fc.assert(fc.property(fc.string(), fc.json(), (text, json) => void [parseMetricLine(text), parseMetricLine(json)]))
  })
})

describe('MetricLog', () => {
  const fill = (log: MetricLog, count: number): void => {
    for (let i = 1; i <= count; i++) log.add({ step: undefined, values: { loss: i }, notFinite: [] }, i)
  }

  it('counts lines that have no step', () => {
    const log = new MetricLog()
    assert.equal(log.add({ step: 7, values: { a: 1 }, notFinite: [] }, 0), 7)
    assert.equal(log.add({ step: undefined, values: { a: 1 }, notFinite: [] }, 0), 2)
  })

  for (const count of [1, 10_000, 10_001, 20_002, 123_457]) {
    it(`keeps at most 10 000 points and the last of ${count}, evenly`, () => {
      const log = new MetricLog()
      fill(log, count)
      const points = log.toRecord()['loss'] ?? []
      assert.ok(points.length <= 10_001 && points.length >= Math.min(count, 5000), `${points.length} points`)
      assert.deepEqual(points[0], { step: 1, value: 1, at: 1 })
      assert.deepEqual(points.at(-1), { step: count, value: count, at: count })
      const gaps = new Set(points.slice(1, -1).map(({ step }, index) => step - (points[index]?.step ?? 0)))
      assert.ok(gaps.size <= 1, [...gaps].join(' '))
      assert.equal(log.toNotes().length, count > 10_000 ? 1 : 0)
    })
  }

  it('keeps 64 names and says which it does not keep', () => {
    const log = new MetricLog()
    const values = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`m${index}`, 1]))
    log.add({ step: 1, values, notFinite: Object.keys(values) }, 0)
    assert.equal(Object.keys(log.toRecord()).length, 64)
    const notes = log.toNotes()
    assert.equal(notes.length, 65)
    assert.match(notes.at(-1) ?? '', /not kept are m64, m65/)
    assert.ok(notes.every(note => note.length < 1100))
  })

  it('keeps its notes short where names are long', () => {
    const log = new MetricLog()
    log.add({ step: 1, values: {}, notFinite: ['n'.repeat(60_000)] }, 0)
    assert.ok(log.toNotes().every(note => note.length < 300))
  })
})
