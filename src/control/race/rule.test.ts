import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { StoredRace } from '../../store/index.ts'
import { toProject } from '../testing/place.ts'
import { toComparisons, toRaceRule, toRaceSpec } from './rule.ts'

/** A race from one instant to another; without an end it runs. */
function toRace(id: number, startedAt: number, endedAt?: number, challengers = 1): StoredRace {
  const spec = toRaceSpec(toProject('', { challengers }), [])
  const ended = endedAt === undefined ? undefined : ({ at: endedAt, how: 'replaced' } as const)
  return { id, a: 1, b: id + 1, design: 'paired', spec, startedAt, ended }
}

describe('toComparisons()', () => {
  const rows: readonly [string, readonly StoredRace[], readonly number[]][] = [
    ['gives a race alone all of alpha', [toRace(1, 0)], [1]],
    ['gives all of it again to the next', [toRace(1, 0, 10), toRace(2, 10)], [1, 1]],
    ['shares it between two from when the second enters', [toRace(1, 0), toRace(2, 5)], [2, 2]],
    ['gives no part back when one leaves', [toRace(1, 0), toRace(2, 5, 8), toRace(3, 9)], [2, 2, 2]],
    ['counts who ran at once, not who ever ran', [toRace(1, 0), toRace(2, 1, 2), toRace(3, 3, 4)], [2, 2, 2]],
    ['counts three', [toRace(1, 0, 9), toRace(2, 1), toRace(3, 2), toRace(4, 9)], [3, 3, 3, 3]],
    ['shares from the start what was declared', [toRace(1, 0, undefined, 3)], [3]],
  ]
  for (const [name, races, wanted] of rows)
    it(name, () =>
      assert.deepEqual(
        races.map(race => toComparisons(race, races)),
        wanted,
      ),
    )
})

describe('toRaceRule()', () => {
  it('has its part of alpha', () => {
    assert.equal(toRaceRule(toRace(1, 0), 2).alpha, 0.025)
  })
})
