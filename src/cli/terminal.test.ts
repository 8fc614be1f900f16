import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { paint, toBar, toDuration, toShortDigest, toSize, toTable } from './terminal.ts'

describe('toDuration()', () => {
  const cases: readonly (readonly [number, string])[] = [
    [820, '820 ms'],
    [12_345, '12.3 s'],
    [125_000, '2 min 05 s'],
    [3_600_000 * 3 + 600_000, '3 h 10 min'],
  ]
  for (const [ms, wanted] of cases) it(`shows ${ms} ms as ${wanted}`, () => assert.equal(toDuration(ms), wanted))
})

describe('toSize()', () => {
  const cases: readonly (readonly [number, string])[] = [
    [512, '512 B'],
    [42_000, '42.0 kB'],
    [1_300_000, '1.3 MB'],
  ]
  for (const [bytes, wanted] of cases) it(`shows ${bytes} as ${wanted}`, () => assert.equal(toSize(bytes), wanted))
})

it('toBar() fills in eighths and keeps its width', () => {
  assert.equal(toBar(0, 4), '····')
  assert.equal(toBar(0.5, 4), '██··')
  assert.equal(toBar(2, 4), '████')
  for (let fraction = 0; fraction <= 1; fraction += 0.01) assert.equal([...toBar(fraction, 24)].length, 24)
})

it('toTable() aligns its columns, styled cells included', () => {
  const table = toTable(
    ['A', 'B'],
    [
      ['long cell', 'x'],
      [paint(true, 'red', 'short'), 'y'],
    ],
  )
  assert.deepEqual(table.split('\n'), ['A          B', 'long cell  x', `${paint(true, 'red', 'short')}      y`, ''])
})

it('toShortDigest() keeps twelve hex digits', () => {
  assert.equal(toShortDigest(`sha256:${'0123456789abcdef'.repeat(4)}`), '0123456789ab')
})
