import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GRPC_CODES } from '../../core/grpc/grpc.ts'
import {
  Health,
  parseMessage,
  HealthCheckResponse_ServingStatus as ServingStatus,
  toMessageBytes,
} from '../../tensor/messages.ts'
import { toPath } from '../front/grpc-method.ts'
import { openGrpcServer } from '../testing/grpc.ts'
import { toDouble } from '../testing/models.ts'
import { untilTrue } from '../testing/until-true.ts'

const { check, list, watch } = Health.method
const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = ServingStatus
const PATH = toPath(watch)
const ask = (service: string): Uint8Array => toMessageBytes(watch.input, { service })
const statuses = (messages: readonly Uint8Array[]) => messages.map(bytes => parseMessage(watch.output, bytes).status)

describe('Health', () => {
  const names = [
    '',
    'tensorflow.serving.PredictionService',
    'tensorflow.serving.ModelService',
    'inference.GRPCInferenceService',
    'grpc.health.v1.Health',
    'PredictionService',
    'ModelService',
  ]
  it('is checked for every service by its name', async () => {
    await using server = await openGrpcServer(toDouble())
    for (const service of names) assert.equal((await server.call(check, { service })).message?.status, SERVING, service)
    assert.equal((await server.call(check, { service: 'z' })).status, 'NOT_FOUND')
    const { message } = await server.call(list, {})
    assert.deepEqual(Object.keys(message?.statuses ?? {}), names)
  })

  it('is not there without a model', async () => {
    await using server = await openGrpcServer(toDouble(), { allowModelControl: true })
    await server.ask('/v2/repository/models/m/unload', '')
    assert.equal((await server.call(check, {})).message?.status, NOT_SERVING)
  })

  it('is told to watchers when it changes, and they are sent away when the server stops', async () => {
    await using server = await openGrpcServer(toDouble(), { allowModelControl: true, drainMs: 60_000 })
    const watching = server.client.start(PATH, ask(''))
    const stranger = server.client.start(PATH, ask('z'))
    const isReady = async (): Promise<boolean> => (await server.call(check, {})).message?.status === SERVING
    await untilTrue(isReady)
    await server.ask('/v2/repository/models/m/unload', '')
    await server.ask('/v2/repository/models/m/load', '')
    await untilTrue(isReady)
    const stoppedAt = performance.now()
    server.stop()
    const seen = await watching.seen
    assert.deepEqual(statuses(seen.messages), [SERVING, NOT_SERVING, SERVING, NOT_SERVING])
    assert.deepEqual([seen.code, seen.details], [GRPC_CODES.UNAVAILABLE, 'The server is stopping'])
    assert.deepEqual(statuses((await stranger.seen).messages), [SERVICE_UNKNOWN])
    await server.closed
    assert.ok(performance.now() - stoppedAt < 30_000, 'watchers do not hold the server')
  })

  it('is no longer watched by a client that went', async () => {
    await using server = await openGrpcServer(toDouble())
    const watching = server.client.start(PATH, ask(''))
    await sleep(50)
    watching.cancel()
    assert.equal((await watching.seen).code, GRPC_CODES.CANCELLED)
  })
})
