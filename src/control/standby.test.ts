import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { openStandby } from './standby.node.ts'

const HOST = '127.0.0.1'

describe('openStandby()', () => {
  const leaders: Server[] = []
  before(async () => {
    for (const name of ['one', 'two']) {
      const server = createServer((_, response) => response.end(name)).listen(0, HOST)
      await once(server, 'listening')
      leaders.push(server)
    }
  })
  after(() => {
    for (const server of leaders) server.close()
  })

  const at = (index: number): { readonly host: string; readonly port: number } => {
    const address = leaders[index]?.address() as AddressInfo
    return { host: HOST, port: address.port }
  }

  async function ask(port: number): Promise<string> {
    const response = await fetch(`http://${HOST}:${port}/`, { headers: { connection: 'close' } })
    return await response.text()
  }

  it('leads to the one that leads, and closes connections while nobody does', async () => {
    await using standby = await openStandby({ host: HOST, port: 0 })
    await assert.rejects(ask(standby.port))
    standby.lead(at(0))
    assert.equal(await ask(standby.port), 'one')
    standby.lead(at(1))
    assert.equal(await ask(standby.port), 'two')
    standby.lead(undefined)
    await assert.rejects(ask(standby.port))
  })

  it('frees its port at once, whoever is connected', async () => {
    const standby = await openStandby({ host: HOST, port: 0 })
    standby.lead(at(0))
    const response = await fetch(`http://${HOST}:${standby.port}/`)
    assert.equal(await response.text(), 'one')
    await standby[Symbol.asyncDispose]()
    await using next = await openStandby({ host: HOST, port: standby.port })
    assert.equal(next.port, standby.port)
  })
})
