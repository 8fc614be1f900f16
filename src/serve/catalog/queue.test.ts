import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toQueue } from './queue.ts'

const never = new AbortController().signal

describe('toQueue()', () => {
  it('runs so many works at once, the others in the order of their arrival', async () => {
    const queue = toQueue({ parallel: 2, maxWaiting: 10 })
    const begun: number[] = []
    const works = Array.from({ length: 5 }, () => Promise.withResolvers<void>())
    const all = works.map((work, index) =>
      queue.run(async () => {
        begun.push(index)
        await work.promise
        return index
      }, never),
    )
    assert.deepEqual([begun, queue.waiting], [[0, 1], 3])
    works[1]?.resolve()
    await all[1]
    await new Promise(setImmediate)
    assert.deepEqual([begun, queue.waiting], [[0, 1, 2], 2])
    for (const work of works) work.resolve()
    assert.deepEqual(await Promise.all(all), [0, 1, 2, 3, 4])
    assert.equal(queue.waiting, 0)
  })

  it('refuses more than may wait, and goes on after works that fail', async () => {
    const queue = toQueue({ parallel: 1, maxWaiting: 1 })
    const first = Promise.withResolvers<void>()
    const failing = queue.run(async () => await first.promise, never)
    const waiting = queue.run(async () => 'second', never)
    await assert.rejects(
      queue.run(async () => 'third', never),
      { code: 'OVERLOADED', message: /1 requests wait already/ },
    )
    first.reject(new Error('broken'))
    await assert.rejects(failing, { message: 'broken' })
    assert.equal(await waiting, 'second')
    assert.equal(await queue.run(async () => 'fourth', never), 'fourth')
  })

  it('drops works whose client goes away before their turn', async () => {
    const queue = toQueue({ parallel: 1, maxWaiting: 2 })
    const first = Promise.withResolvers<void>()
    const running = queue.run(() => first.promise, never)
    const client = new AbortController()
    const dropped = queue.run(() => assert.fail('it was to be dropped'), client.signal)
    const next = queue.run(async () => 'next', never)
    client.abort()
    await assert.rejects(dropped, { code: 'GONE' })
    assert.equal(queue.waiting, 1)
    first.resolve()
    await running
    assert.equal(await next, 'next')
    await assert.rejects(
      queue.run(() => assert.fail('it was to be dropped'), client.signal),
      { code: 'GONE' },
    )
  })
})
