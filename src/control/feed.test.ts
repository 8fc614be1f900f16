import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Feed } from './feed.ts'

const chunk = (text: string): Uint8Array => new TextEncoder().encode(text)
async function readAll(stream: AsyncIterable<Uint8Array> | undefined): Promise<string[]> {
  assert.ok(stream)
  const texts: string[] = []
  for await (const one of stream) texts.push(new TextDecoder().decode(one))
  return texts
}
const never = new AbortController().signal

describe('Feed', () => {
  it('gives every client all chunks in order, its first ones before', async () => {
    const feed = new Feed({ maxClients: 2, maxWaiting: 10, whenSlow: 'drop' })
    const reads = [readAll(feed.open([chunk('x')], never)), readAll(feed.open([], never))]
    feed.publish(chunk('1'))
    feed.publish(chunk('2'))
    feed.close()
    assert.deepEqual(await Promise.all(reads), [
      ['x', '1', '2'],
      ['1', '2'],
    ])
    assert.equal(feed.clients, 0)
  })

  it('drops a slow client and keeps the others', async () => {
    const feed = new Feed({ maxClients: 2, maxWaiting: 3, whenSlow: 'drop' })
    const slow = feed.open([], never)
    const fast = readAll(feed.open([], never))
    for (let at = 0; at < 10; at++) {
      feed.publish(chunk(`${at}`))
      await Promise.resolve()
      await new Promise(resolve => setImmediate(resolve))
    }
    feed.close()
    assert.equal((await fast).length, 10)
    assert.deepEqual(await readAll(slow), [])
    assert.equal(feed.dropped, 1)
  })

  it('skips to the newest chunk where each replaces the one before', async () => {
    const feed = new Feed({ maxClients: 1, maxWaiting: 1, whenSlow: 'skip' })
    const stream = feed.open([], never)
    for (let at = 0; at < 10; at++) feed.publish(chunk(`${at}`))
    feed.beat(chunk('beat'))
    feed.close()
    assert.deepEqual(await readAll(stream), ['9'])
  })

  it('refuses more clients than its bound, and takes a new one when one has gone', async () => {
    const feed = new Feed({ maxClients: 1, maxWaiting: 1, whenSlow: 'drop' })
    const gone = new AbortController()
    const first = readAll(feed.open([], gone.signal))
    assert.equal(feed.open([], never), undefined)
    gone.abort()
    await first
    assert.ok(feed.open([], never))
  })

  it('beats while nothing waits', async () => {
    const feed = new Feed({ maxClients: 1, maxWaiting: 5, whenSlow: 'drop' })
    const read = readAll(feed.open([], never))
    feed.beat(chunk('beat'))
    feed.close()
    assert.deepEqual(await read, ['beat'])
  })
})
