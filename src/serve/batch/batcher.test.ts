import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Batcher, type BatcherOptions, type Work } from './batcher.ts'

interface Named extends Work {
  readonly name: string
}

const never = new AbortController().signal
const work = (name: string, more: Partial<Work> = {}): Named => ({
  name,
  key: 'k',
  rows: 1,
  sizeBytes: 1,
  signal: never,
  deadlineAt: undefined,
  ...more,
})

/** A batcher whose runs end when told to, in a time that passes when told to. */
function openBatcher(options: Partial<BatcherOptions<Named, string>> = {}) {
  let now = 1_000
  const runs: { readonly names: string; end: (error?: Error) => void }[] = []
  const due: { at: number; call: () => void }[] = []
  const batcher = new Batcher<Named, string>({
    run: works => {
      const names = works.map(({ name }) => name)
      const ended = Promise.withResolvers<readonly PromiseSettledResult<string>[]>()
      const end = (error?: Error): void =>
        ended.resolve(
          names.map(value =>
            error === undefined ? { status: 'fulfilled', value } : { status: 'rejected', reason: error },
          ),
        )
      runs.push({ names: names.join(' '), end })
      return ended.promise
    },
    parallel: () => 1,
    maxRows: () => 4,
    maxBytes: 100,
    maxWaiting: 10,
    maxDelayMs: 0,
    clock: {
      now: () => now,
      defer: setImmediate,
      after: (delayMs, call) => void due.push({ at: now + delayMs, call }),
    },
    ...options,
  })
  return {
    batcher,
    names: () => runs.map(run => run.names),
    /** Adds works whose failures are looked at elsewhere, and lets the turn end. */
    async add(...works: readonly Named[]) {
      const added = works.map(one => batcher.add(one))
      for (const one of added) one.catch(() => {})
      await new Promise(setImmediate)
      return added
    },
    async end(at: number, error?: Error) {
      runs[at]?.end(error)
      await new Promise(setImmediate)
    },
    async pass(ms: number) {
      now += ms
      for (const { at, call } of due.splice(0)) {
        if (at <= now) call()
        else due.push({ at, call })
      }
      await new Promise(setImmediate)
    },
  }
}

describe('Batcher', () => {
  it('takes what arrives in one turn, then what waits whenever the engine is free', async () => {
    const { add, end, names, batcher } = openBatcher()
    const first = await add(work('a'), work('b'))
    const second = await add(work('c'), work('d'), work('e'), work('f'), work('g'))
    assert.deepEqual([names(), batcher.waiting], [['a b'], 5])
    await end(0)
    assert.deepEqual(await Promise.all(first), ['a', 'b'])
    assert.deepEqual([names(), batcher.waiting], [['a b', 'c d e f'], 1])
    await end(1)
    await end(2)
    assert.deepEqual(await Promise.all(second), ['c', 'd', 'e', 'f', 'g'])
  })

  it('groups only works of one key, and runs those without one alone', async () => {
    const { add, end, names } = openBatcher()
    await add(work('a'), work('B', { key: 'K' }), work('c'), work('-', { key: undefined }), work('D', { key: 'K' }))
    for (let at = 0; at < 3; at += 1) await end(at)
    assert.deepEqual(names(), ['a c', 'B D', '-'])
  })

  it('counts rows, and lets no smaller work overtake one that does not fit', async () => {
    const { add, end, names } = openBatcher()
    await add(work('a', { rows: 2 }), work('b', { rows: 3 }), work('c'), work('d', { rows: 9 }), work('e'))
    for (let at = 0; at < 4; at += 1) await end(at)
    assert.deepEqual(names(), ['a', 'b c', 'd', 'e'])
  })

  it('keeps to the bytes of a batch', async () => {
    const { add, names } = openBatcher({ maxBytes: 10 })
    await add(work('a', { sizeBytes: 6 }), work('b', { sizeBytes: 4 }), work('c', { sizeBytes: 1 }))
    assert.deepEqual(names(), ['a b'])
  })

  it('shares what waits out among the places that are free', async () => {
    const { add, names } = openBatcher({ parallel: () => 2 })
    await add(work('a'), work('b'), work('c'), work('d'))
    assert.deepEqual(names(), ['a b', 'c d'])
  })

  it('refuses more than may wait, and goes on after works that fail', async () => {
    const { add, end, names } = openBatcher({ maxWaiting: 1, maxRows: () => 1 })
    const [a, b, c] = await add(work('a'), work('b'), work('c'))
    await assert.rejects(c ?? Promise.resolve(), { code: 'OVERLOADED', message: /1 requests wait already/ })
    const broken = new Error('broken')
    await end(0, broken)
    await assert.rejects(a ?? Promise.resolve(), broken)
    await end(1)
    assert.equal(await b, 'b')
    await add(work('d'))
    assert.deepEqual(names(), ['a', 'b', 'd'])
  })

  it('drops works whose client has gone: they take no place from others', async () => {
    const { add, end, names, batcher } = openBatcher({ maxWaiting: 2 })
    const client = new AbortController()
    await add(work('a'))
    const [gone] = await add(work('b', { signal: client.signal }), work('c'))
    client.abort()
    assert.equal(batcher.waiting, 1)
    const [next] = await add(work('d'))
    await assert.rejects(gone ?? Promise.resolve(), { code: 'GONE' })
    await end(0)
    await end(1)
    assert.deepEqual([names(), await next], [['a', 'c d'], 'd'])
    await assert.rejects(batcher.add(work('e', { signal: client.signal })), { code: 'GONE' })
  })

  it('drops works past their deadline before they run', async () => {
    const { add, end, pass, names, batcher } = openBatcher()
    await add(work('a'))
    const [late] = await add(work('b', { deadlineAt: 1_050 }), work('c', { deadlineAt: 1_051 }))
    await pass(50)
    await end(0)
    await assert.rejects(late ?? Promise.resolve(), { code: 'DEADLINE' })
    assert.deepEqual(names(), ['a', 'c'])
    await assert.rejects(batcher.add(work('d', { deadlineAt: 1_050 })), { code: 'DEADLINE' })
  })

  it('waits for more only where told to, and no longer than told', async () => {
    const { add, end, pass, names } = openBatcher({ maxDelayMs: 5 })
    await add(work('a'))
    await pass(4)
    await add(work('b'))
    assert.deepEqual(names(), [])
    await pass(1)
    assert.deepEqual(names(), ['a b'])
    await end(0)
    await add(work('c'), work('d'), work('e'), work('f'))
    assert.deepEqual(names(), ['a b', 'c d e f'], 'a whole batch waits for nothing')
    await end(1)
    await add(work('g', { key: undefined }))
    assert.deepEqual(names().at(-1), 'g', 'nor does one that runs alone')
  })
})
