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

/** The one answer to each item. */
function one<item, answer>(toAnswer: (item: item) => Promise<answer>): (item: item) => AsyncIterable<answer> {
  return async function* (item) {
    yield await toAnswer(item)
  }
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
      inOrder(
        items,
        { parallel: 3, signal: forever },
        one(async n => {
          await doors[n]?.promise
          return n
        }),
      ),
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
    const answers = inOrder(
      items,
      { parallel: 2, signal: forever },
      one(async n => {
        await door.promise
        return n
      }),
    )
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
    async function* once(): AsyncGenerator<number> {
      yield 1
      await never
    }
    const answers = inOrder(
      once(),
      { parallel: 2, signal: forever },
      one(async n => n),
    )
    assert.equal((await answers.next()).value, 1)
    await answers.return()
  })

  it('throws what an answer throws, and leaves the source', async () => {
    const { items, state } = toSource(10)
    const answers = inOrder(
      items,
      { parallel: 1, signal: forever },
      one(async n => {
        if (n === 1) throw new Error('no')
        return n
      }),
    )
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
    const answers = inOrder(
      broken(),
      { parallel: 1, signal: forever },
      one(async n => n),
    )
    assert.equal((await answers.next()).value, 1)
    await assert.rejects(answers.next(), /^Error: cut$/)
  })

  it('finishes what is under way once it is stopped, and tells why', async () => {
    const stop = new AbortController()
    const door = Promise.withResolvers<void>()
    const { items, state } = toSource(10)
    const answers = inOrder(
      items,
      { parallel: 2, signal: stop.signal },
      one(async n => {
        await door.promise
        return n
      }),
    )
    const first = answers.next()
    await turn()
    stop.abort(new Error('over'))
    await turn()
    door.resolve()
    assert.deepEqual([(await first).value, (await answers.next()).value], [0, 1])
    await assert.rejects(answers.next(), /^Error: over$/)
    assert.equal(state.taken, 2)
  })

  it('gives first answers in order, and the others as they come', async () => {
    const doors = [0, 1].map(() => Promise.withResolvers<void>())
    const { items } = toSource(2)
    const answers = inOrder(items, { parallel: 2, signal: forever }, async function* (n) {
      if (n === 0) await doors[0]?.promise
      yield `${n}a`
      if (n === 0) await doors[1]?.promise
      yield `${n}b`
      yield `${n}c`
    })
    const first = answers.next()
    await turn()
    doors[0]?.resolve()
    assert.equal((await first).value, '0a')
    const next = [await answers.next(), await answers.next(), await answers.next()]
    assert.deepEqual(
      next.map(({ value }) => value),
      ['1a', '1b', '1c'],
    )
    doors[1]?.resolve()
    assert.deepEqual(await collect(answers), ['0b', '0c'])
  })

  it('lets each item have its turn, however many answers the others have', async () => {
    const { items } = toSource(3)
    const answers = inOrder(items, { parallel: 3, signal: forever }, async function* (n) {
      for (let at = 0; at < 100; at++) yield n
    })
    const all = await collect(answers)
    assert.equal(all.length, 300)
    assert.deepEqual([...new Set(all.slice(0, 30))].toSorted(), [0, 1, 2])
  })

  it('takes one answer of each item ahead, and leaves what is under way when it is left', async () => {
    const left: number[] = []
    let given = 0
    const { items } = toSource(2)
    const answers = inOrder(items, { parallel: 2, signal: forever }, async function* (n) {
      try {
        while (true) {
          given += 1
          yield n
        }
      } finally {
        left.push(n)
      }
    })
    await answers.next()
    await turn()
    assert.equal(given, 2)
    await answers.return()
    await turn()
    assert.deepEqual(left.toSorted(), [0, 1])
  })

  it('goes on to the next item where one has no answer', async () => {
    const { items } = toSource(3)
    const answers = inOrder(items, { parallel: 3, signal: forever }, async function* (n) {
      if (n !== 1) yield n
    })
    assert.deepEqual(await collect(answers), [0, 2])
  })
})
