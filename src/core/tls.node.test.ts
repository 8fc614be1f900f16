import assert from 'node:assert/strict'
import { connect as connectTcp } from 'node:net'
import { describe, it } from 'node:test'
import { connect } from 'node:tls'
import { toTextResponse } from './http/http.ts'
import { listenHttp } from './http/server.node.ts'
import { makeCertificates } from './testing/certificates.ts'
import { getOverTls } from './testing/https.ts'
import type { TlsOptions } from './tls.node.ts'

const { ca, server: own, client } = makeCertificates()
const stranger = makeCertificates()

const listen = (tls: TlsOptions) => listenHttp(() => toTextResponse(200, 'ok'), { port: 0, tls })

const get = async (url: string, connection: object): Promise<string> => (await getOverTls(url, connection)).text

describe('listenHttp() with TLS', () => {
  it('answers a client that knows the authority, and no other', async () => {
    await using server = await listen(own)
    assert.match(server.url, /^https:/)
    assert.equal(await get(server.url, { ca }), 'ok')
    await assert.rejects(get(server.url, { ca: stranger.ca }))
    await assert.rejects(fetch(server.url.replace('https:', 'http:')))
  })

  it('turns away a client without a certificate, or with one of another authority, where it wants one', async () => {
    await using server = await listen({ ...own, ca, requireClientCert: true })
    assert.equal(await get(server.url, { ca, ...client }), 'ok')
    await assert.rejects(get(server.url, { ca }))
    await assert.rejects(get(server.url, { ca, ...stranger.client }))
  })

  it('speaks TLS 1.2 and later', async () => {
    await using server = await listen(own)
    const version = (maxVersion: 'TLSv1.1' | 'TLSv1.2') =>
      new Promise((resolve, reject) => {
        const options = {
          port: server.port,
          ca,
          maxVersion,
          minVersion: 'TLSv1',
          ciphers: 'DEFAULT@SECLEVEL=0',
        } as const
        const socket = connect(options, () => {
          resolve(socket.getProtocol())
          socket.destroy()
        })
        socket.once('error', reject)
      })
    assert.equal(await version('TLSv1.2'), 'TLSv1.2')
    await assert.rejects(version('TLSv1.1'))
  })

  it('drains within its time where a client has not shaken hands', async () => {
    await using server = await listen(own)
    const socket = connectTcp(server.port)
    await new Promise(resolve => socket.once('connect', resolve))
    const closed = new Promise(resolve => socket.once('close', resolve))
    const started = Date.now()
    await server.drain(100)
    await closed
    assert.ok(Date.now() - started < 5000)
  })

  const UNUSABLE: readonly [string, TlsOptions, string][] = [
    ['a certificate that is none', { ...own, cert: 'x' }, 'TLS'],
    ['a key of another certificate', { ...own, key: client.key }, 'TLS'],
    ['certificates of clients wanted without an authority', { ...own, requireClientCert: true }, 'TLS_CLIENT_CA'],
  ]
  for (const [name, tls, code] of UNUSABLE)
    it(`refuses ${name}`, async () => {
      await assert.rejects(listen(tls), { code })
    })
})
