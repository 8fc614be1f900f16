import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { makeRandom } from './random.ts'
import { toCells, toMarkdown } from './report.ts'
import { runTask, SCENARIOS } from './run.ts'
import { type Column, type Scenario, toColumn, toLimit } from './scenario.ts'

const toRow = (columns: readonly Column[]): Scenario => ({ table: 't', name: 'row', columns, run: () => [] })

describe('toCells()', () => {
  const cases: readonly (readonly [string, Column, number, boolean | null])[] = [
    ['rates within 3.5 standard errors', toColumn('c', 0.04), 55, true],
    ['a rate that is too high', toColumn('c', 0.04), 75, false],
    ['a rate that is too low', toColumn('c', 0.04), 12, false],
    ['a reference of no event', toColumn('c', 0), 1, true],
    ['a low rate under a limit', toLimit('c', 0.05), 0, true],
    ['a high rate over a limit', toLimit('c', 0.01), 90, false],
    ['no reference', toColumn('c', undefined), 500, null],
  ]
  for (const [name, column, found, agrees] of cases)
    it(`judges ${name}`, () => {
      assert.deepEqual(
        toCells(toRow([column]), [found], 1000).map(cell => cell.agrees),
        [agrees],
      )
    })
})

describe('toMarkdown()', () => {
  it('marks the cells that disagree', () => {
    const cells = toCells(toRow([toColumn('x', 0.5), toColumn('y', 0.1)]), [500, 300], 1000)
    assert.equal(toMarkdown(cells), '### t\n\n| | x | y |\n|---|---|---|\n| row | .5 (.5) | **.3 (.1) ✗** |\n')
  })
})

describe('scenarios', () => {
  it('have a name each, and one answer for each column', () => {
    const names = SCENARIOS.map(({ name, table }) => `${table}: ${name}`)
    assert.equal(new Set(names).size, names.length)
    const at = names.indexOf('pairs: paired normal')
    const { found } = runTask({ scenario: at, from: 0, runs: 2 })
    assert.equal(found.length, SCENARIOS[at]?.columns.length)
    assert.deepEqual(runTask({ scenario: at, from: 0, runs: 2 }).found, found)
  })
})

describe('makeRandom()', () => {
  it('gives numbers of the wanted mean and spread, the same for the same seed', () => {
    const { normal, uniform } = makeRandom(7)
    const xs = Array.from({ length: 20_000 }, normal)
    const us = Array.from({ length: 20_000 }, uniform)
    const toMean = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0) / numbers.length
    assert.ok(Math.abs(toMean(xs)) < 0.03)
    assert.ok(Math.abs(toMean(xs.map(x => x * x)) - 1) < 0.05)
    assert.ok(Math.abs(toMean(us) - 0.5) < 0.01)
    assert.deepEqual([makeRandom(7).normal(), makeRandom(7).normal()], [xs[0], xs[0]])
    assert.notEqual(makeRandom(8).normal(), xs[0])
  })
})
