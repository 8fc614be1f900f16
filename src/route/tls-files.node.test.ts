import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { GRPC_CODES } from '../core/grpc/grpc.ts'
import { openGrpcJs } from '../core/grpc/testing/grpc-js.ts'
import { makeCertificates } from '../core/testing/certificates.ts'
import { getOverTls } from '../core/testing/https.ts'
import { startTestGateway } from './testing/gateway.ts'
import { readTlsFiles } from './tls-files.node.ts'

const HEALTH = '/grpc.health.v1.Health/Check'
const NOTHING = new Uint8Array(0)

describe('a gateway with certificates', () => {
  const { ca, server, client } = makeCertificates()
  let folder = ''
  const path = (name: string): string => join(folder, name)
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regatta-tls-'))
    await Promise.all([
      writeFile(path('cert'), server.cert),
      writeFile(path('key'), server.key),
      writeFile(path('ca'), ca),
    ])
  })
  after(() => rm(folder, { recursive: true }))

  it('answers on both ports over TLS, those clients alone whose certificates it knows', async () => {
    const tls = await readTlsFiles({ cert: path('cert'), key: path('key'), clientCa: path('ca') })
    await using gateway = await startTestGateway({ tls })
    assert.equal((await getOverTls(`${gateway.url}/livez`, { ca, ...client })).status, 200)
    await assert.rejects(getOverTls(`${gateway.url}/livez`, { ca }))
    using known = openGrpcJs(gateway.grpcPort, {}, { ca, ...client })
    assert.equal((await known.call(HEALTH, NOTHING)).code, GRPC_CODES.OK)
    using stranger = openGrpcJs(gateway.grpcPort, {}, { ca })
    assert.notEqual((await stranger.call(HEALTH, NOTHING, { deadlineMs: 1_000 })).code, GRPC_CODES.OK)
  })

  it('says which file it cannot read', async () => {
    const files = { cert: path('cert'), key: path('nothing'), clientCa: undefined }
    await assert.rejects(readTlsFiles(files), { code: 'TLS_FILE', message: /nothing": ENOENT/ })
  })
})
