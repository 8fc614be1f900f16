import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { until } from '../testing/gateway.ts'
import { startRawReplica, toGood } from '../testing/raw-replica.ts'
import type { TryResult } from './exchange.node.ts'
import { UpstreamPool } from './pool.node.ts'

const REQUEST = { method: 'POST', target: '/p', headers: {}, body: Buffer.from('hello') }
const BOUNDS = { timeoutMs: 20_000, maxAnswerBytes: 100_000, signal: undefined }

const openPool = (url: string, maxConnections = 4): UpstreamPool & AsyncDisposable => {
  const pool = new UpstreamPool(url, { maxConnections, connectTimeoutMs: 2_000, maxHeadBytes: 8192 })
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.destroy() })
}
const toKind = (result: TryResult): string => (result.kind === 'answer' ? String(result.body) : result.kind)

/** Answers when the first bytes come, and reads no more. */
async function startHastyServer() {
  const sockets: Socket[] = []
  const server = createServer(socket => {
    sockets.push(socket)
    socket.on('error', () => {}).once('data', () => socket.pause().write(toGood(1)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => sockets.length,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('UpstreamPool', () => {
  it('keeps a connection for the next request, and sends each in one piece', async () => {
    await using replica = await startRawReplica(socket => socket.write(toGood(1)))
    await using pool = openPool(replica.url)
    for (let count = 0; count < 3; count++)
      assert.equal(toKind(await pool.send(REQUEST, BOUNDS)), '{"predictions":[[1]]}')
    assert.equal(replica.connections.length, 1)
    assert.match(replica.requests[2] ?? '', /^POST \/p HTTP\/1\.1\r\nhost: [\d.:]+\r\ncontent-length: 5\r\n\r\nhello$/)
  })

  it('carries long bodies, both ways', async () => {
    const long = 'a'.repeat(90_000)
    await using replica = await startRawReplica((socket, request) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${long.length}\r\n\r\n${request.slice(-long.length)}`)
    })
    await using pool = openPool(replica.url)
    for (let count = 0; count < 3; count++)
      assert.equal(toKind(await pool.send({ ...REQUEST, body: Buffer.from(long) }, BOUNDS)), long)
  })

  it('opens no more connections than it may; further requests wait in turn', async () => {
    const asked: Socket[] = []
    await using replica = await startRawReplica(socket => asked.push(socket))
    await using pool = openPool(replica.url, 2)
    const sent = Array.from({ length: 5 }, (_, at) => pool.send({ ...REQUEST, target: `/${at}` }, BOUNDS))
    for (let count = 1; count <= 5; count++) {
      await until(() => asked.length >= Math.min(count + 1, 5))
      asked[count - 1]?.write(toGood(count))
    }
    assert.equal(new Set((await Promise.all(sent)).map(toKind)).size, 5)
    // The first two came on connections of their own.
    assert.deepEqual(
      replica.requests.slice(2).map(request => request.slice(0, 7)),
      ['POST /2', 'POST /3', 'POST /4'],
    )
    assert.equal(replica.connections.length, 2)
  })

  it('opens another for who waits where one breaks', async () => {
    await using replica = await startRawReplica((socket, request) => {
      if (request.includes('/break')) socket.destroy()
      else socket.write(toGood(1))
    })
    await using pool = openPool(replica.url, 1)
    const results = await Promise.all(
      ['/break', '/p', '/break', '/p'].map(target => pool.send({ ...REQUEST, target }, BOUNDS)),
    )
    assert.deepEqual(results.map(toKind), ['lost', '{"predictions":[[1]]}', 'lost', '{"predictions":[[1]]}'])
  })

  it('gives up what takes too long, or whose client left, also where it waits for a connection', async () => {
    await using replica = await startRawReplica(() => {})
    await using pool = openPool(replica.url, 1)
    const leave = new AbortController()
    const sent = [
      pool.send(REQUEST, { ...BOUNDS, timeoutMs: 300 }),
      pool.send(REQUEST, { ...BOUNDS, signal: leave.signal }),
      pool.send(REQUEST, { ...BOUNDS, timeoutMs: 100 }),
    ]
    leave.abort()
    assert.deepEqual((await Promise.all(sent)).map(toKind), ['timeout', 'gone', 'timeout'])
    assert.equal(toKind(await pool.send(REQUEST, { ...BOUNDS, signal: leave.signal })), 'gone')
    assert.equal(replica.requests.length, 1)
    // The answer that still comes is for nobody.
    await until(() => replica.connections[0]?.destroyed === true)
  })

  it('uses a fresh connection where one is wanted, though others are idle', async () => {
    await using replica = await startRawReplica(socket => socket.write(toGood(1)))
    await using pool = openPool(replica.url, 1)
    await pool.send(REQUEST, BOUNDS)
    assert.equal(toKind(await pool.send(REQUEST, BOUNDS, true)), '{"predictions":[[1]]}')
    assert.equal(replica.connections.length, 2)
  })

  it('does not use a connection any more that its server closes soon', async () => {
    const good = toGood(1).replace('content-type', 'keep-alive: timeout=1\r\ncontent-type')
    await using replica = await startRawReplica(socket => socket.write(good))
    await using pool = openPool(replica.url)
    await pool.send(REQUEST, BOUNDS)
    await pool.send(REQUEST, BOUNDS)
    assert.equal(replica.connections.length, 2)
  })

  it('does not use a connection any more that an answer came on which cannot be read, or before the request was sent', async () => {
    await using replica = await startRawReplica(socket => socket.write('HTTP/1.1 2x0 OK\r\n\r\n'))
    await using pool = openPool(replica.url)
    for (let count = 0; count < 2; count++) assert.equal(toKind(await pool.send(REQUEST, BOUNDS)), 'lost')
    assert.equal(replica.connections.length, 2)

    await using hasty = await startHastyServer()
    await using other = openPool(hasty.url)
    const long = { ...REQUEST, body: Buffer.alloc(64 * 1024 * 1024) }
    for (let count = 1; count <= 2; count++) {
      assert.equal(toKind(await other.send(long, BOUNDS)), '{"predictions":[[1]]}')
      assert.equal(hasty.connections(), count)
    }
  })

  it('says whether a request may have arrived', async () => {
    const replica = await startRawReplica(socket => socket.destroy())
    await using pool = openPool(replica.url)
    const broken = await pool.send(REQUEST, BOUNDS)
    assert.deepEqual([broken.kind, broken.kind === 'lost' && broken.sent], ['lost', true])
    await replica[Symbol.asyncDispose]()
    const refused = await pool.send(REQUEST, BOUNDS)
    assert.deepEqual([refused.kind, refused.kind === 'lost' && refused.sent], ['lost', false])
    assert.match(refused.kind === 'lost' ? refused.reason : '', /ECONNREFUSED/)
  })

  it('answers what is in flight or waits before it closes, and takes nothing more', async () => {
    const asked: Socket[] = []
    await using replica = await startRawReplica(socket => asked.push(socket))
    await using pool = openPool(replica.url, 1)
    const sent = [pool.send(REQUEST, BOUNDS), pool.send(REQUEST, BOUNDS)]
    await until(() => asked.length === 1)
    const closed = pool.close()
    assert.equal(toKind(await pool.send(REQUEST, BOUNDS)), 'lost')
    asked[0]?.write(toGood(1))
    await until(() => asked.length === 2)
    asked[1]?.write(toGood(2))
    assert.deepEqual((await Promise.all(sent)).map(toKind), ['{"predictions":[[1]]}', '{"predictions":[[2]]}'])
    await closed
  })

  it('breaks what is in flight where it is destroyed', async () => {
    await using replica = await startRawReplica(() => {})
    await using pool = openPool(replica.url, 1)
    const sent = [pool.send(REQUEST, BOUNDS), pool.send(REQUEST, BOUNDS)]
    await until(() => replica.requests.length === 1)
    await pool.destroy()
    assert.deepEqual((await Promise.all(sent)).map(toKind), ['lost', 'lost'])
  })
})
