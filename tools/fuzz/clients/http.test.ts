import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, it } from 'node:test'
import { listen } from '../../../src/core/listen.node.ts'
import { HttpClient } from './http.ts'

const REQUEST = { method: 'POST', target: '/', headers: [], body: Buffer.from('{}') } as const

/** How many connections a client makes for two requests to a server that says this of keeping them. */
async function countConnections(keepAlive: string): Promise<number> {
  let connections = 0
  const answering = createServer((_request, response) => {
    response.writeHead(200, { connection: 'keep-alive', 'keep-alive': keepAlive }).end('{}')
  })
  answering.on('connection', () => {
    connections += 1
  })
  const { port } = await listen(answering, { port: 0 })
  try {
    using client = new HttpClient(port)
    assert.equal((await client.ask(REQUEST)).status, 200)
    assert.equal((await client.ask(REQUEST)).status, 200)
    return connections
  } finally {
    answering.close()
  }
}

describe('HttpClient', () => {
  it('uses a connection again where its server keeps it', async () => {
    assert.equal(await countConnections('timeout=600'), 1)
    assert.equal(await countConnections('max=10'), 1)
  })

  it('uses none that its server may be closing', async () => {
    assert.equal(await countConnections('timeout=0'), 2)
  })
})
