import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { openKube } from './client.node.ts'

/** The official client asks a server without TLS only so. */
const PLAIN = { 'insecure-skip-tls-verify': true }

describe('openKube()', () => {
  let folder: string
  let server: Server
  let answer: RequestListener
  const usual = { KUBECONFIG: process.env['KUBECONFIG'], HOME: process.env['HOME'] }
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'regatta-kubeconfig-'))
    server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  after(() => {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true })
    for (const [name, value] of Object.entries(usual)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
  beforeEach(() => {
    const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'here',
      clusters: [
        { name: 'here', cluster: { server: here, ...PLAIN } },
        { name: 'away', cluster: { server: 'http://127.0.0.1:1', ...PLAIN } },
      ],
      users: [{ name: 'me', user: { token: 'secret' } }],
      contexts: [
        { name: 'here', context: { cluster: 'here', user: 'me', namespace: 'team' } },
        { name: 'away', context: { cluster: 'away', user: 'me' } },
      ],
    }
    process.env['KUBECONFIG'] = join(folder, 'config.json')
    writeFileSync(process.env['KUBECONFIG'], JSON.stringify(config))
  })

  const openHere = () => openKube({ context: undefined, namespace: undefined })

  it('takes the namespace that is asked for, else that of the context, else default', async () => {
    const found = await Promise.all([
      openKube({ context: 'here', namespace: 'mine' }),
      openHere(),
      openKube({ context: 'away', namespace: undefined }),
    ])
    assert.deepEqual(
      found.map(({ namespace, server }) => [namespace, new URL(server).port === '1']),
      [
        ['mine', false],
        ['team', false],
        ['default', true],
      ],
    )
  })

  it('names the contexts that there are', async () => {
    await assert.rejects(openKube({ context: 'moon', namespace: undefined }), {
      code: 'KUBE_CONTEXT',
      fix: 'Choose one of here, away',
    })
  })

  it('says that there is no kubeconfig, or none that can be read', async () => {
    process.env['KUBECONFIG'] = join(folder, 'nowhere')
    await assert.rejects(openHere(), { code: 'KUBE_CONFIG' })
    process.env['KUBECONFIG'] = join(folder, 'bad')
    writeFileSync(process.env['KUBECONFIG'], 'clusters: [')
    await assert.rejects(openHere(), { code: 'KUBE_CONFIG' })
    delete process.env['KUBECONFIG']
    process.env['HOME'] = folder
    await assert.rejects(openHere(), { code: 'KUBE_CONFIG', message: /there is no kubeconfig, and this is no pod/ })
  })

  it('asks with the credentials, and reads what is there and what is not', async () => {
    const asked: unknown[] = []
    answer = ({ headers, method, url }, response) => {
      asked.push([method, url, headers.authorization, headers['content-type']])
      response.writeHead(url === '/there' ? 200 : 404, { 'content-type': 'application/json' })
      response.end(JSON.stringify(url === '/there' ? { a: 1 } : { message: 'pods "x" not found' }))
    }
    const kube = await openHere()
    assert.deepEqual(await kube.ask('PATCH', '/there', { body: {}, type: 'application/merge-patch+json' }), { a: 1 })
    assert.equal(await kube.ask('GET', '/nowhere'), undefined)
    assert.deepEqual(asked, [
      ['PATCH', '/there', 'Bearer secret', 'application/merge-patch+json'],
      ['GET', '/nowhere', 'Bearer secret', undefined],
    ])
  })

  it('throws what the cluster refuses, also where lines are followed', async () => {
    answer = (_, response) => response.writeHead(401, { 'content-type': 'application/json' }).end('{}')
    const kube = await openHere()
    await assert.rejects(kube.ask('GET', '/x'), { code: 'KUBE_CREDENTIALS' })
    await assert.rejects(kube.follow('/x', new AbortController().signal)[Symbol.asyncIterator]().next(), {
      code: 'KUBE_CREDENTIALS',
    })
  })

  it('yields lines as they come, until the signal', async () => {
    answer = (_, response) => void response.writeHead(200).write('one\ntwo\n')
    const stop = new AbortController()
    const lines: string[] = []
    for await (const line of (await openHere()).follow('/x', stop.signal)) {
      lines.push(line)
      if (lines.length === 2) stop.abort()
    }
    assert.deepEqual(lines, ['one', 'two'])
  })

  it('lets a caller try again where nobody answers', async () => {
    const kube = await openKube({ context: 'away', namespace: undefined })
    await assert.rejects(kube.ask('GET', '/x'), { code: 'KUBE_UNREACHABLE', retryable: true })
  })
})
