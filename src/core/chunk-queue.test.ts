import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ChunkQueue } from './chunk-queue.ts'

async function takeAll(queue: ChunkQueue): Promise<readonly Buffer[]> {
  const chunks: Buffer[] = []
  for (let chunk = await queue.next(); chunk !== undefined; chunk = await queue.next()) chunks.push(chunk)
  return chunks
}

describe('ChunkQueue', () => {
  it('gives what came in its order, and waits for more', async () => {
    const queue = new ChunkQueue()
    const first = queue.next()
    queue.push(Buffer.from('ab'))
    assert.equal(String(await first), 'ab')
    const long = Buffer.alloc(5000, 'l')
    for (const chunk of [Buffer.from('c'), long, Buffer.from('d'), Buffer.from('e')]) queue.push(chunk)
    queue.end()
    assert.deepEqual((await takeAll(queue)).map(String), ['c', String(long), 'de'])
  })

  it('holds short chunks in few pieces, and nothing of what came with them', async () => {
    const queue = new ChunkQueue()
    const read = Buffer.allocUnsafeSlow(64 * 1024).fill('x')
    for (let at = 0; at < read.byteLength; at += 1) queue.push(read.subarray(at, at + 1))
    queue.end()
    const chunks = await takeAll(queue)
    assert.equal(chunks.length, 8)
    assert.ok(chunks.every(chunk => chunk.buffer !== read.buffer))
    assert.deepEqual(Buffer.concat(chunks), read)
  })

  it('does not change what it has given', async () => {
    const queue = new ChunkQueue()
    queue.push(Buffer.from('a'))
    const given = await queue.next()
    queue.push(Buffer.from('b'))
    queue.end()
    assert.deepEqual([given, ...(await takeAll(queue))].map(String), ['a', 'b'])
  })

  it('forgets what nobody has taken', async () => {
    const queue = new ChunkQueue()
    queue.push(Buffer.from('a'))
    queue.clear()
    queue.end()
    assert.deepEqual(await takeAll(queue), [])
  })
})
