import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { describe, it } from 'node:test'
import { untilAnswering } from './answering.node.ts'

const toGateway = (url: string | null) => ({
  openGateway: async () => ({ url, [Symbol.asyncDispose]: async () => {} }),
})

describe('untilAnswering()', () => {
  const told: string[] = []
  const { signal } = new AbortController()
  const call = { clock: () => Date.now(), err: (text: string) => void told.push(text), signal }

  it('waits until a gateway answers several times in a row', async () => {
    let asked = 0
    // The first connections are reset, then one pod of two is not ready.
    const server = createServer((_, response) => {
      asked += 1
      if (asked <= 2) response.socket?.resetAndDestroy()
      else response.writeHead(asked === 4 ? 503 : 200).end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    await untilAnswering(call, toGateway(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
    server.close()
    assert.deepEqual([asked, told], [7, []])
  })

  it('tells where nobody answers from here, and goes on', async () => {
    const server = createSocketServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await new Promise(resolve => server.close(resolve))
    await untilAnswering(call, toGateway(`http://127.0.0.1:${port}`), 0)
    assert.match(told.join(''), /cannot see from here whether http:\/\/127\.0\.0\.1:\d+ answers: .*ECONNREFUSED/)
  })

  it('asks nothing where the gateway has no address', async () => {
    await untilAnswering(call, toGateway(null))
  })
})
