import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addToOrdered, type Ordered, toEmptyOrdered } from '../../judge/index.ts'
import type { DifferencesCursor, Store } from '../../store/index.ts'
import { type Checkpoint, follow } from './following.ts'

const EMPTY: Ordered =
  toEmptyOrdered({ task: 'forecast', loss: { kind: 'squared' }, season: 1, strict: false }) ?? assert.fail()

/** A store of pairs alone, that counts what it gives. */
class Pairs implements Pick<Store, 'readDifferencesAfter'> {
  readonly #differences: number[] = []
  readonly #changes: number[] = []
  given = 0

  put(at: number, difference: number): void {
    this.#differences[at] = difference
    this.#changes.push(at)
  }

  async readDifferencesAfter(_race: number, cursors: readonly DifferencesCursor[]) {
    const from = cursors.findLastIndex(({ at, change }) => this.#changes.slice(change).every(changed => changed > at))
    const first = (cursors[from]?.at ?? -1) + 1
    const differences = Float64Array.from(this.#differences.slice(first))
    this.given += differences.length
    const cursor = { change: this.#changes.length, at: this.#differences.length - 1, request: '', row: 0 }
    return { differences, weights: differences.map(() => 1), from: from < 0 ? undefined : from, isLast: true, cursor }
  }

  toState(): Ordered {
    return this.#differences.reduce((state, loss) => addToOrdered(state, { loss, weight: 1 }), EMPTY)
  }
}

/** A race of so many pairs that was looked at after each. */
async function followEach(labels: number): Promise<{ pairs: Pairs; known: readonly Checkpoint[] }> {
  const pairs = new Pairs()
  let known: readonly Checkpoint[] = []
  for (let at = 0; at < labels; at++) {
    pairs.put(at, Math.sin(at))
    known = await follow(pairs, 1, EMPTY, known)
  }
  return { pairs, known }
}

describe('follow()', () => {
  it('reads only what is new, however long the race', async () => {
    const { pairs, known } = await followEach(2000)
    assert.equal(pairs.given, 2000)
    assert.deepEqual(known.at(-1)?.state, pairs.toState())
    assert.ok(known.length < 60, `${known.length} checkpoints`)
  })

  it('goes back a little for a late label, and to the beginning for the first', async () => {
    const { pairs, known: followed } = await followEach(1000)
    let known = followed
    for (const [back, most] of [
      [1, 3],
      [10, 20],
      [100, 200],
      [999, 1000],
    ] as const) {
      const given = pairs.given
      pairs.put(999 - back, 7)
      known = await follow(pairs, 1, EMPTY, known)
      assert.deepEqual(known.at(-1)?.state, pairs.toState())
      assert.ok(pairs.given - given <= most, `${pairs.given - given} read for a label ${back} back`)
      const again = pairs.given
      known = await follow(pairs, 1, EMPTY, known)
      assert.equal(pairs.given, again)
    }
  })
})
