import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { join, resolve } from 'node:path'
import { after, describe, it } from 'node:test'
import type { ConnectionOptions } from 'node:tls'
import { makeCertificates } from '../../core/testing/certificates.ts'
import { probeReady } from './probe.node.ts'
import { openPlace, toPlan, until } from './testing/place.ts'

const GATEWAY = resolve(import.meta.dirname, '..', '..', 'route', 'main.ts')
const PROGRAM = join(import.meta.dirname, 'testing', 'program.ts')

interface Seen {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
}

function ask(url: string, tls: ConnectionOptions, headers: Readonly<Record<string, string>>): Promise<Seen> {
  return new Promise((done, reject) => {
    const asking = request(url, { method: 'POST', ...tls, headers, agent: false }, answer => {
      answer.resume()
      done({ status: answer.statusCode, headers: answer.headers })
    })
    asking.on('error', reject).end('{"instances":[[1]]}')
  })
}

describe('a gateway that is protected', async () => {
  const place = await openPlace()
  after(async () => await place[Symbol.asyncDispose]())

  it('speaks TLS, answers bearers and pages of one origin, and is probed', async () => {
    const { ca, server } = makeCertificates()
    const tls = { cert: join(place.root, 'gateway.pem'), key: join(place.root, 'gateway.key') }
    writeFileSync(tls.cert, server.cert)
    writeFileSync(tls.key, server.key)
    await using target = await place.open({
      commands: { server: [process.execPath, PROGRAM, 'well'], gateway: [process.execPath, GATEWAY] },
      access: { tls, predictToken: 'predict-token', origins: ['https://app.example'] },
    })
    await target.apply(toPlan([['a', 1, 1, place.digests.a, 1]]), AbortSignal.timeout(60_000))
    const state = await until(target, ({ gatewayUrl }) => gatewayUrl !== undefined)
    const url = `${state.gatewayUrl}/v1/models/forecast:predict`
    assert.match(url, /^https:/)
    assert.match(state.gatewayGrpcUrl ?? '', /^https:/)
    // It knows no replica yet, and says so.
    const probe = await probeReady(state.gatewayUrl ?? '', 5_000, AbortSignal.timeout(5_000))
    assert.match('text' in probe ? probe.text : '', /^HTTP 503 .*routes/)
    const origin = 'https://app.example'
    assert.equal((await ask(url, { ca }, { origin })).status, 401)
    const answer = await ask(url, { ca }, { origin, authorization: 'Bearer predict-token' })
    assert.equal(answer.status, 503)
    assert.equal(answer.headers['access-control-allow-origin'], origin)
  })

  it('answers only clients with a certificate where an authority is named, and is known to be there', async () => {
    const { ca, server, client } = makeCertificates()
    const folder = join(place.root, 'mutual')
    const file = (name: string): string => join(folder, name)
    mkdirSync(folder)
    for (const [name, text] of Object.entries({ cert: server.cert, key: server.key, clientCa: ca }))
      writeFileSync(file(name), text)
    const tls = { cert: file('cert'), key: file('key'), clientCa: file('clientCa') }
    await using target = await place.open({
      commands: { server: [process.execPath, PROGRAM, 'well'], gateway: [process.execPath, GATEWAY] },
      access: { tls },
    })
    await target.apply(toPlan([['a', 1, 1, place.digests.a, 1]]), AbortSignal.timeout(10_000))
    const { gatewayUrl = '' } = await until(target, state => state.gatewayUrl !== undefined)
    const url = `${gatewayUrl}/v1/models/forecast:predict`
    assert.equal((await ask(url, { ca, ...client }, {})).status, 503)
    await assert.rejects(ask(url, { ca }, {}))
    assert.deepEqual(await probeReady(gatewayUrl, 5_000, AbortSignal.timeout(5_000)), { kind: 'ready' })
  })
})
