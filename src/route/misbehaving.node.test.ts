import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { type Reply, startTestGateway, type TestGateway, toRoutes, until } from './testing/gateway.ts'
import { type RawReplica, startRawReplica, toGood } from './testing/raw-replica.ts'

type Send = string | ((socket: Socket) => void)

const OK = 'HTTP/1.1 200 OK\r\n'
const PATHS = ['/v1/models/m:predict', '/v2/models/m/infer', '/invocations'] as const

/** Once told to, it is a good replica. */
async function startBad(send: Send): Promise<RawReplica & { mend(): void }> {
  let isMended = false
  const replica = await startRawReplica(socket => {
    if (isMended) socket.write(toGood(7))
    else if (typeof send === 'string') socket.write(send)
    else send(socket)
  })
  return {
    ...replica,
    mend: () => {
      isMended = true
    },
  }
}

const open = (replica: RawReplica, limits: { tryTimeoutMs?: number } = {}): Promise<TestGateway> =>
  startTestGateway({
    routes: toRoutes([{ id: 1, name: 'a', role: 'champion', urls: [replica.url] }]),
    limits: { maxHeadBytes: 8192, maxBodyBytes: 100_000, ...limits },
  })

/** Each protocol's own words of an error. */
function assertRefusal({ headers, text }: Reply, path: string, code: string): void {
  assert.equal(headers.get('x-regatta-error'), code)
  const body = JSON.parse(text)
  if (path === '/invocations') assert.deepEqual(Object.keys(body), ['error_code', 'message'])
  else assert.deepEqual(Object.keys(body), ['error'])
}

describe('a replica that answers wrongly', () => {
  const lost: readonly [name: string, send: Send][] = [
    ['what is no HTTP', 'hello\r\n\r\n'],
    ['a status that is none', 'HTTP/1.1 99 Odd\r\ncontent-length: 0\r\n\r\n'],
    ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n'],
    ['two lengths', `${OK}content-length: 2\r\ncontent-length: 3\r\n\r\nabc`],
    ['a length and chunks', `${OK}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['more than it tells', `${OK}content-length: 2\r\n\r\nhello`],
    ['chunks that are none', `${OK}transfer-encoding: chunked\r\n\r\nhello\r\n`],
    ['a head that is too long', `${OK}x: ${'y'.repeat(9000)}\r\n\r\n`],
    ['two answers', toGood(1) + toGood(2)],
    ['a body with 204', 'HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nhi'],
    ['half a body', socket => socket.end(`${OK}content-length: 9\r\n\r\nhalf`)],
    ['half a chunk', socket => socket.end(`${OK}transfer-encoding: chunked\r\n\r\n9\r\nhalf`)],
    ['nothing', socket => socket.end()],
    ['a broken connection', socket => socket.resetAndDestroy()],
  ]
  for (const [name, send] of lost) {
    it(`gives 502 in the words of the protocol for ${name}, and spoils no other request`, async () => {
      await using replica = await startBad(send)
      await using gateway = await open(replica)
      for (const path of PATHS) {
        const reply = await gateway.predict({}, path)
        assert.equal(reply.status, 502, reply.text)
        assertRefusal(reply, path, 'REPLICA_LOST')
      }
      replica.mend()
      for (let count = 0; count < 3; count++) {
        const reply = await gateway.predict()
        assert.deepEqual([reply.status, reply.text], [200, '{"predictions":[[7]]}'])
      }
    })
  }

  it('gives 502 for an answer that is too long, told or not', async () => {
    const sends = [
      `${OK}content-length: 100001\r\n\r\n`,
      (socket: Socket) => socket.end(`${OK}\r\n${'a'.repeat(100_001)}`),
    ]
    for (const send of sends) {
      await using replica = await startBad(send)
      await using gateway = await open(replica)
      const reply = await gateway.predict()
      assert.equal(reply.status, 502)
      assertRefusal(reply, PATHS[0], 'ANSWER_TOO_LONG')
      replica.mend()
      assert.equal((await gateway.predict()).text, '{"predictions":[[7]]}')
    }
  })

  const endless: readonly [name: string, first: string, next: string][] = [
    ['never ends its body', `${OK}content-length: 90000\r\n\r\n`, 'a'],
    ['never ends its chunks', `${OK}transfer-encoding: chunked\r\n\r\n`, '1\r\na\r\n'],
    ['never ends its head', OK, 'x: y\r\n'],
    ['asks to go on for ever', '', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['says nothing', '', ''],
  ]
  for (const [name, first, next] of endless) {
    it(`gives 504 where it ${name}`, async () => {
      await using replica = await startBad(socket => {
        socket.write(first)
        const timer = setInterval(() => socket.write(next), 20)
        socket.once('close', () => clearInterval(timer))
      })
      await using gateway = await open(replica, { tryTimeoutMs: 200 })
      const reply = await gateway.predict()
      assert.equal(reply.status, 504)
      assertRefusal(reply, PATHS[0], 'REPLICA_TIMEOUT')
      await until(() => replica.connections.every(socket => socket.destroyed))
    })
  }

  it('is understood where it is only old or talkative', async () => {
    const rest = toGood(3).slice('HTTP/1.1 200 OK\r\n'.length)
    const sends: readonly Send[] = [
      `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${toGood(3)}`,
      `HTTP/1.0 200 OK\r\n${rest}`,
      socket => socket.end('HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{"predictions":[[3]]}'),
      `${OK}transfer-encoding: chunked\r\n\r\n15\r\n{"predictions":[[3]]}\r\n0\r\n\r\n`,
    ]
    for (const send of sends) {
      await using replica = await startBad(send)
      await using gateway = await open(replica)
      for (let count = 0; count < 2; count++) {
        const reply = await gateway.predict()
        assert.deepEqual([reply.status, reply.text], [200, '{"predictions":[[3]]}'])
      }
    }
  })

  it('cannot slip an answer to the next request in behind its own', async () => {
    await using replica = await startRawReplica(socket => {
      socket.write(toGood(1))
      setTimeout(() => socket.write(toGood(666)), 20)
    })
    await using gateway = await open(replica)
    for (let count = 1; count <= 3; count++) {
      assert.equal((await gateway.predict()).text, '{"predictions":[[1]]}')
      // The connection that spoke unasked is of no use any more.
      await until(() => replica.connections.length === count && replica.connections.every(({ destroyed }) => destroyed))
    }
  })
})
