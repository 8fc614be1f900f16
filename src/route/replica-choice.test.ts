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
): Candidate & { name: string } => ({
  name,
  outstanding,
  ejection,
  lastUsed,
})
const choice = { now: 1000, maxOutstanding: 8, desperate: false }

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
    ['takes none of none', chooseReplica([], choice), undefined],
  ]
  for (const [name, found, wanted] of table)
    it(name, () => assert.equal(found !== undefined && 'name' in found ? found.name : undefined, wanted))
})
