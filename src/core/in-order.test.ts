import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inOrder } from './in-order.ts'

const forever = new AbortController().signal

/** Numbers from 0 on, and how many of them were taken. */
function toSource(count: number) {
  const state = { taken: 0, left: false }
  async function* count_(): AsyncGenerator<number> {
    try {
      for (; state.taken < count; ) yield state.taken++
    } finally {
      state.left = true
    }
  }
  return { state, items: count_() }
}

async function collect<item>(items: AsyncIterable<item>): Promise<item[]> {
  const all: item[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Lets all that is due happen. */
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('inOrder()', () => {
  it('gives the answers in the order of the items, whichever is ready first', async () => {
    const doors = [0, 1, 2].map(() => Promise.withResolvers<void>())
    const { items } = toSource(3)
    const all = collect(
      inOrder(items, { parallel: 3, signal: forever }, async n => {
        await doors[n]?.promise
        return n
      }),
    )
    for (const door of doors.toReversed()) {
      door.resolve()
      await turn()
    }
    assert.deepEqual(await all, [0, 1, 2])
  })

  it('takes no more than it may work on, and nothing while nobody reads', async () => {
    const door = Promise.withResolvers<void>()
    const { items, state } = toSource(10)
    const answers = inOrder(items, { parallel: 2, signal: forever }, async n => {
      await door.promise
      return n
    })
    const first = answers.next()
    await turn()
    assert.equal(state.taken, 2)
    door.resolve()
    assert.equal((await first).value, 0)
    await turn()
    assert.equal(state.taken, 2)
    await answers.return()
    assert.ok(state.left)
  })

  it('gives an answer while the next item is awaited', async () => {
    const never = new Promise<never>(() => {})
    async function* one(): AsyncGenerator<number> {
      yield 1
      await never
    }
    const answers = inOrder(one(), { parallel: 2, signal: forever }, async n => n)
    assert.equal((await answers.next()).value, 1)
    await answers.return()
  })

  it('throws what an answer throws, and leaves the source', async () => {
    const { items, state } = toSource(10)
    const answers = inOrder(items, { parallel: 1, signal: forever }, async n => {
      if (n === 1) throw new Error('no')
      return n
    })
    assert.equal((await answers.next()).value, 0)
    await assert.rejects(answers.next(), /^Error: no$/)
    await turn()
    assert.ok(state.left)
  })

  it('throws what the source throws', async () => {
    async function* broken(): AsyncGenerator<number> {
      yield 1
      throw new Error('cut')
    }
    const answers = inOrder(broken(), { parallel: 1, signal: forever }, async n => n)
    assert.equal((await answers.next()).value, 1)
    await assert.rejects(answers.next(), /^Error: cut$/)
  })

  it('finishes what is under way once it is stopped, and tells why', async () => {
    const stop = new AbortController()
    const door = Promise.withResolvers<void>()
    const { items, state } = toSource(10)
    const answers = inOrder(items, { parallel: 2, signal: stop.signal }, async n => {
      await door.promise
      return n
    })
    const first = answers.next()
    await turn()
    stop.abort(new Error('over'))
    await turn()
    door.resolve()
    assert.deepEqual([(await first).value, (await answers.next()).value], [0, 1])
    await assert.rejects(answers.next(), /^Error: over$/)
    assert.equal(state.taken, 2)
  })
})
