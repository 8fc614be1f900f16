import assert from 'node:assert/strict'
import { connect as connectTcp } from 'node:net'
import { describe, it } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { callRaw, openRaw, toWire } from '../http2/testing/raw.ts'
import { makeCertificates } from '../testing/certificates.ts'
import type { TlsOptions } from '../tls.node.ts'
import { openGrpcJs } from './testing/grpc-js.ts'
import { serveGrpc } from './testing/serve.ts'

const { ca, server: own, client: known } = makeCertificates()
const stranger = makeCertificates()
const PATH = '/test.Echo/Say'

const listen = (tls: TlsOptions) => serveGrpc(({ message }) => ({ message }), { port: 0, tls, requestTimeoutMs: 2000 })

async function callWith(port: number, tls: { ca: string; cert?: string; key?: string }): Promise<number> {
  using client = openGrpcJs(port, {}, tls)
  return (await client.call(PATH, Buffer.from('x'), { deadlineMs: 3000 })).code
}

describe('listenGrpc() with TLS', () => {
  it('answers a client that knows the authority, and no other', async () => {
    await using server = await listen(own)
    assert.match(server.url, /^https:/)
    assert.equal(await callWith(server.port, { ca }), 0)
    assert.equal(await callWith(server.port, { ca: stranger.ca }), 14)
    using plain = openRaw(server.url.replace('https:', 'http:'))
    assert.equal((await callRaw(plain, toWire('x'))).status, undefined)
  })

  it('turns away a client without a certificate, or with one of another authority, where it wants one', async () => {
    await using server = await listen({ ...own, ca, requireClientCert: true })
    assert.equal(await callWith(server.port, { ca, ...known }), 0)
    assert.equal(await callWith(server.port, { ca }), 14)
    assert.equal(await callWith(server.port, { ca, ...stranger.client }), 14)
  })

  it('speaks HTTP/2 alone', async () => {
    await using server = await listen(own)
    const talk = (ALPNProtocols: string[]) =>
      new Promise<string>((resolve, reject) => {
        const socket = connectTls({ port: server.port, ca, ALPNProtocols }, () => {
          resolve(String(socket.alpnProtocol))
          socket.destroy()
        })
        socket.once('error', reject)
      })
    assert.equal(await talk(['h2']), 'h2')
    await assert.rejects(talk(['http/1.1']))
  })

  it('sends a client away that shakes hands while it drains', async () => {
    await using server = await listen(own)
    const tcp = connectTcp(server.port)
    await new Promise(resolve => tcp.once('connect', resolve))
    const started = Date.now()
    const drained = server.drain(10_000)
    using session = openRaw(server.url, {
      createConnection: () => connectTls({ socket: tcp, ca, ALPNProtocols: ['h2'] }),
    })
    const closed = new Promise(resolve => session.once('close', resolve))
    await drained
    await closed
    assert.ok(Date.now() - started < 1500, 'not after its silence')
  })

  it('ends a connection that does not shake hands', async () => {
    await using server = await listen(own)
    const socket = connectTcp(server.port)
    socket.on('error', () => {})
    await new Promise(resolve => socket.once('close', resolve))
  })

  it('refuses a certificate that is none', async () => {
    await assert.rejects(listen({ ...own, cert: 'x' }), { code: 'TLS' })
  })
})
