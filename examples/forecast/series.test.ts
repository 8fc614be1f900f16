import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { addDays, parseCsv, toCsv, toHistory } from './series.ts'

const history = toHistory()

describe('toHistory()', () => {
  it('reproduces data/series.csv to the byte', () => {
    assert.equal(toCsv(history), readFileSync(join(import.meta.dirname, 'data', 'series.csv'), 'utf8'))
  })

  it('holds every day from 2000-01-01 to 2018-09-21', () => {
    assert.equal(history.length, 6839)
    assert.equal(history[0]?.date, '2000-01-01')
    assert.equal(history.at(-1)?.date, '2018-09-21')
    assert.ok(history.every((day, i) => day.date === addDays('2000-01-01', i)))
  })

  it('takes steps spread evenly between -10 and 10', () => {
    const steps = history.slice(1).map((day, i) => day.value - (history[i]?.value ?? Number.NaN))
    const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length
    const variance = steps.reduce((sum, step) => sum + (step - mean) ** 2, 0) / steps.length
    assert.ok(steps.every(step => Math.abs(step) <= 10.0001))
    assert.ok(Math.abs(mean) < 0.3, `mean ${mean}`)
    assert.ok(Math.abs(variance - 400 / 12) < 1.5, `variance ${variance}`)
  })
})

describe('parseCsv()', () => {
  it('reads back what toCsv() wrote', () => assert.deepEqual(parseCsv(toCsv(history)), history))

  const refused: [string, string, RegExp][] = [
    ['another header', 'day,value\n2000-01-01,1\n', /header "date,value", found "day,value"/],
    ['a word for a number', 'date,value\n2000-01-01,one\n', /line 2 .*found "2000-01-01,one"/],
    ['a missing value', 'date,value\n2000-01-01,1\n2000-01-02\n', /line 3/],
  ]
  for (const [name, text, message] of refused) {
    it(`refuses ${name}`, () => assert.throws(() => parseCsv(text), message))
  }
})
