import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Ejection, TRUSTED } from './ejection.ts'
import { type Candidate, chooseReplica } from './replica-choice.ts'

const out: Ejection = { state: 'out', rounds: 1, until: 2000 }
const replica = (
  name: string,
  outstanding: number,
  ejection = TRUSTED,
  lastUsed = 0,
  since = 0,
): Candidate & { name: string } => ({
  name,
  outstanding,
  ejection,
  lastUsed,
  since,
})
const choice = {
  ...{ now: 1000, maxOutstanding: 8, slowStartMs: 500, random: () => 0.5 },
  ...{ desperate: false, not: undefined, sequence: undefined },
}

describe('chooseReplica()', () => {
  const [a, b, c] = [replica('a', 2), replica('b', 1, TRUSTED, 9), replica('c', 1, TRUSTED, 8)]
  const table: readonly [string, Candidate | undefined, string | undefined][] = [
    ['takes the least outstanding', chooseReplica([a, b], choice), 'b'],
    ['takes the one that waited longest among equals', chooseReplica([a, b, c], choice), 'c'],
    ['passes over an ejected one', chooseReplica([a, replica('d', 0, out)], choice), 'a'],
    ['takes an ejected one after its pause', chooseReplica([a, replica('d', 0, out)], { ...choice, now: 2000 }), 'd'],
    ['takes none where all are ejected', chooseReplica([replica('d', 0, out)], choice), undefined],
    ['takes an ejected one in despair', chooseReplica([replica('d', 0, out)], { ...choice, desperate: true }), 'd'],
    [
      'passes over a full one even in despair',
      chooseReplica([replica('d', 8)], { ...choice, desperate: true }),
      undefined,
    ],
    ['passes over one that was asked in vain', chooseReplica([a, b], { ...choice, not: b }), 'a'],
    [
      'takes one that it passed over in despair last',
      chooseReplica([replica('d', 0, out), a], { ...choice, desperate: true }),
      'a',
    ],
    ['lets a new one sit out', chooseReplica([a, replica('n', 0, TRUSTED, 0, 900)], choice), 'a'],
    ['lets an older one take part', chooseReplica([a, replica('n', 0, TRUSTED, 0, 700)], choice), 'n'],
    ['takes a new one where there are only such', chooseReplica([replica('n', 0, TRUSTED, 0, 1000)], choice), 'n'],
    [
      'takes a new one before an ejected one',
      chooseReplica([replica('d', 0, out), replica('n', 5, TRUSTED, 0, 1000)], { ...choice, desperate: true }),
      'n',
    ],
    ['takes none of none', chooseReplica([], choice), undefined],
  ]
  for (const [name, found, wanted] of table)
    it(name, () => assert.equal(found !== undefined && 'name' in found ? found.name : undefined, wanted))

  it('gives a new replica a share of the choices that grows with its age', () => {
    let draws = 0
    const random = (): number => (draws++ % 100) / 100
    const shareAt = (age: number): number => {
      const found = Array.from({ length: 100 }, () =>
        chooseReplica([a, replica('n', 0, TRUSTED, 0, 1000 - age)], { ...choice, random }),
      )
      return found.filter(item => item?.name === 'n').length
    }
    assert.deepEqual([0, 25, 250, 400, 500].map(shareAt), [10, 10, 50, 80, 100])
  })

  it('keeps a sequence with one replica, busy or new, and spreads sequences over all', () => {
    const all = [replica('a', 7), replica('b', 0, TRUSTED, 0, 1000), replica('c', 3)]
    const find = (candidates: readonly Candidate[], id: number) =>
      chooseReplica(candidates, { ...choice, sequence: String(id) })?.name
    const ids = Array.from({ length: 300 }, (_, id) => id)
    const found = ids.map(id => find(all, id))
    assert.deepEqual(
      ids.map(id => find(all.toReversed(), id)),
      found,
    )
    for (const { name } of all) assert.ok(found.filter(item => item === name).length > 60, name)
    // What cannot be asked loses its own sequences, and no other.
    for (const gone of [replica('b', 8), replica('b', 0, out)])
      for (const id of ids) {
        const now = find([all[0] ?? gone, gone, all[2] ?? gone], id)
        assert.ok(found[id] === 'b' ? now !== 'b' : now === found[id])
      }
    const alone = { ...choice, sequence: '1', desperate: true }
    assert.equal(chooseReplica([replica('d', 0, out)], alone)?.name, 'd')
  })
})
