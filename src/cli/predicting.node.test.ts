import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { toJsonResponse } from '../core/http/http.ts'
import { listenHttp } from '../core/http/server.node.ts'
import { makeCertificates } from '../core/testing/certificates.ts'
import type { TlsOptions } from '../core/tls.node.ts'
import { toInstallation } from './installation.ts'
import { type PredictionWish, sendPrediction } from './predicting.node.ts'
import type { Call } from './verb.ts'

const folder = mkdtempSync(join(tmpdir(), 'regatta-predict-'))
after(() => rmSync(folder, { recursive: true }))
const write = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const { ca, server, client } = makeCertificates()
const certificate = write('server.pem', server.cert)
const own = { cert: write('client.pem', client.cert), key: write('client.key', client.key) }
const file = write('request.json', '{"instances":[[1]]}')
const MUTUAL: TlsOptions = { ...server, ca, requireClientCert: true }

const call: Call = {
  terminal: undefined,
  colours: false,
  clock: Date.now,
  installation: toInstallation(folder, true, process.execPath),
  ...{ json: false, target: 'local', cwd: folder, env: {}, signal: new AbortController().signal },
  out() {},
  err() {},
}

const openGateway = (tls?: TlsOptions) =>
  listenHttp(
    () => ({
      ...toJsonResponse(200, { predictions: [1] }),
      headers: { 'x-regatta-variant': 'a', 'x-regatta-prediction': 'id' },
    }),
    { host: '127.0.0.1', port: 0, ...(tls && { tls }) },
  )

const toWish = (gateway: string, change: Partial<PredictionWish>): PredictionWish => ({
  ...{ file, gateway, model: 'm', headers: {}, certificate: undefined, client: undefined },
  ...change,
})

describe('sendPrediction()', () => {
  it('shows its certificate to a gateway that wants one', async () => {
    await using gateway = await openGateway(MUTUAL)
    const answer = await sendPrediction(call, toWish(gateway.url, { certificate, client: own }))
    assert.deepEqual(answer, { prediction: 'id', variant: 'a', body: { predictions: [1] } })
  })

  it('says what such a gateway wants, where it is shown none or one of a stranger', async () => {
    await using gateway = await openGateway(MUTUAL)
    await assert.rejects(sendPrediction(call, toWish(gateway.url, { certificate })), {
      code: 'GATEWAY_AWAY',
      fix: /clientCa wants --client-cert FILE --client-key FILE$/,
    })
    const stranger = makeCertificates().client
    const other = { cert: write('other.pem', stranger.cert), key: write('other.key', stranger.key) }
    await assert.rejects(sendPrediction(call, toWish(gateway.url, { certificate, client: other })), {
      code: 'GATEWAY_AWAY',
    })
  })

  it('refuses to show a certificate where there is no TLS', async () => {
    await using gateway = await openGateway()
    await assert.rejects(sendPrediction(call, toWish(gateway.url, { client: own })), {
      name: 'UsageError',
      code: 'CLIENT_CERT',
      message: `Cannot show the certificate of --client-cert: the gateway does not speak TLS (${gateway.url})`,
      fix: /^Leave --client-cert and --client-key out, or set targets\.local\.tls/,
    })
    assert.equal((await sendPrediction(call, toWish(gateway.url, {}))).variant, 'a')
  })

  it('trusts the certificate of its gateway alone', async () => {
    await using gateway = await openGateway(server)
    const other = write('ca.pem', makeCertificates().ca)
    await assert.rejects(sendPrediction(call, toWish(gateway.url, { certificate: other })), { code: 'GATEWAY_AWAY' })
    assert.equal((await sendPrediction(call, toWish(gateway.url, { certificate }))).variant, 'a')
  })
})
