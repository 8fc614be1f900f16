import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { makeCertificates } from '../core/testing/certificates.ts'
import { getOverTls } from '../core/testing/https.ts'
import { GRPCInferenceService, Health, ModelService, PredictionService } from '../tensor/messages.ts'
import { readSecurity } from './security.node.ts'
import { openClient, openGrpcServer } from './testing/grpc.ts'
import { toDouble } from './testing/models.ts'
import { openPlace, openServer } from './testing/place.ts'

const { ca, server: own, client } = makeCertificates()
const stranger = makeCertificates()
const { serverLive, serverReady, modelReady, modelInfer } = GRPCInferenceService.method

describe('readSecurity()', () => {
  it('reads certificates for both ports, and the token of a file or of the environment', async () => {
    await using place = await openPlace()
    const put = async (name: string, text: string): Promise<string> => {
      const path = join(place.basePath, name)
      await writeFile(path, text)
      return path
    }
    const [tlsCert, tlsKey, tlsClientCa] = [await put('c', 'CERT'), await put('k', 'KEY'), await put('a', 'CA')]
    const plain = { cert: 'CERT', key: 'KEY' }
    assert.deepEqual(await readSecurity({ tlsCert, tlsKey }, {}), { tls: { http: plain, grpc: plain } })
    const mutual = { ...plain, ca: 'CA', requireClientCert: true }
    assert.deepEqual(await readSecurity({ tlsCert, tlsKey, tlsClientCa }, {}), { tls: { http: mutual, grpc: mutual } })
    const env = { REGATTA_SERVE_TOKEN: 'e' }
    const tokenFile = await put('t', 'f\n')
    assert.deepEqual(await readSecurity({}, {}), {})
    assert.deepEqual(await readSecurity({}, env), { token: 'e' })
    assert.deepEqual(await readSecurity({ tokenFile }, env), { token: 'f' })
    const wrong = [
      [{ tlsCert }, {}, /^Cannot speak TLS without both --tls-cert and --tls-key/],
      [{ tlsClientCa }, {}, /^Cannot speak TLS without both/],
      [{ tlsCert, tlsKey: join(place.basePath, 'none') }, {}, /^Cannot read the file of --tls-key: ENOENT/],
      [{ tokenFile: await put('empty', '\n') }, {}, /^Cannot use the token: expected printable ASCII/],
      [{}, { REGATTA_SERVE_TOKEN: 'two words' }, /^Cannot use the token: .*\(REGATTA_SERVE_TOKEN\)$/],
    ] as const
    for (const [files, env, message] of wrong)
      await assert.rejects(readSecurity(files, env), { code: 'USAGE', message })
  })
})

describe('a server with certificates', () => {
  const get = async (url: string, connection: object): Promise<number> =>
    (await getOverTls(`${url}/readyz`, connection)).status

  it('speaks TLS on both ports', async () => {
    await using server = await openGrpcServer(toDouble(), { tls: { http: own, grpc: own } })
    assert.match(`${server.url} ${server.grpc?.url}`, /^https:\S+ https:/)
    assert.equal(await get(server.url, { ca }), 200)
    await assert.rejects(get(server.url, { ca: stranger.ca }))
    using known = openClient(server, { ca })
    assert.equal((await known.call(serverLive, {})).status, 'OK')
    using other = openClient(server, { ca: stranger.ca })
    assert.equal((await other.call(serverLive, {}, { deadlineMs: 1000 })).status, 'UNAVAILABLE')
  })

  it('turns clients without a certificate away from both ports, where it wants one', async () => {
    const mutual = { ...own, ca, requireClientCert: true }
    await using server = await openGrpcServer(toDouble(), { tls: { http: mutual, grpc: mutual } })
    assert.equal(await get(server.url, { ca, ...client }), 200)
    await assert.rejects(get(server.url, { ca }))
    using known = openClient(server, { ca, ...client })
    assert.equal((await known.call(serverLive, {})).status, 'OK')
    using other = openClient(server, { ca })
    assert.equal((await other.call(serverLive, {}, { deadlineMs: 1000 })).status, 'UNAVAILABLE')
  })

  it('speaks TLS on the port of gRPC alone, as TensorFlow Serving does', async () => {
    await using server = await openGrpcServer(toDouble(), { tls: { grpc: own } })
    assert.equal((await server.ask('/readyz')).status, 200)
    using known = openClient(server, { ca })
    assert.equal((await known.call(serverLive, {})).status, 'OK')
  })

  it('does not start with a key of another certificate', async () => {
    const wrong = { cert: own.cert, key: client.key }
    await assert.rejects(openGrpcServer(toDouble(), { tls: { grpc: wrong } }), { code: 'TLS' })
  })
})

describe('a server with a token', () => {
  const PREDICT = '/v1/models/m:predict'
  const body = { instances: [[1, 2]] }
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

  it('answers only probes without it, over HTTP', async () => {
    await using server = await openGrpcServer(toDouble(), { token: 't0ken', cors: true })
    for (const path of ['/livez', '/healthz', '/readyz', '/ping', '/health', '/v2/health/live', '/v2/health/ready'])
      assert.equal((await server.ask(path)).status, 200, path)
    for (const path of ['/metrics', '/v1/models/m', '/v2', '/v2/models/m/ready', '/nothing']) {
      assert.equal((await server.ask(path)).status, 401, path)
      assert.notEqual((await server.ask(path, undefined, { headers: bearer('t0ken') })).status, 401, path)
    }
    const refused = await server.ask(PREDICT, body, { headers: bearer('other') })
    assert.deepEqual(
      [refused.status, ...['www-authenticate', 'access-control-allow-origin'].map(name => refused.headers.get(name))],
      [401, 'Bearer realm="regatta", error="invalid_token"', '*'],
    )
    assert.match(refused.text, /^\{"error":"Cannot answer: the token is not/)
    assert.equal((await server.ask(PREDICT, body, { headers: bearer('t0ken') })).status, 200)
    const { text } = await server.ask('/metrics', undefined, { headers: bearer('t0ken') })
    assert.match(text, /requests_total\{protocol="tfs",status="401"\} 2\n/)
    const preflight = await server.ask(PREDICT, undefined, { method: 'OPTIONS', headers: { origin: 'https://a.b' } })
    assert.equal(preflight.status, 200)
    await using closed = await openServer(toDouble(), { token: 't0ken' })
    const refusedPreflight = await closed.ask(PREDICT, undefined, {
      method: 'OPTIONS',
      headers: { origin: 'https://a.b' },
    })
    assert.equal(refusedPreflight.status, 401)
  })

  it('answers only probes without it, over gRPC', async () => {
    await using server = await openGrpcServer(toDouble(), { token: 't0ken' })
    const { call } = server
    const open = [await call(Health.method.check, {}), await call(serverLive, {}), await call(serverReady, {})]
    assert.deepEqual(
      open.map(({ status }) => status),
      ['OK', 'OK', 'OK'],
    )
    const modelSpec = { name: 'm' }
    const closed = [
      await call(modelReady, { name: 'm' }),
      await call(modelInfer, { modelName: 'm' }),
      await call(PredictionService.method.predict, { modelSpec }),
      await call(ModelService.method.getModelStatus, { modelSpec }, { metadata: bearer('other') }),
    ]
    assert.deepEqual(
      closed.map(({ status }) => status),
      closed.map(() => 'UNAUTHENTICATED'),
    )
    const known = await call(ModelService.method.getModelStatus, { modelSpec }, { metadata: bearer('t0ken') })
    assert.equal(known.status, 'OK')
  })
})
