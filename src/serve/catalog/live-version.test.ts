import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RegattaError } from '../../core/errors.ts'
import type { Model } from '../model.ts'
import { LiveVersion } from './live-version.ts'
import type { Loading, OpenedVersion } from './loading.ts'
import { toQueue } from './queue.ts'

const FILE = { version: 3, path: '/m/3/model.onnx', sizeBytes: 1, stamp: '' }

/** A version whose load ends when the test says so. */
function openFake() {
  const opening = Promise.withResolvers<OpenedVersion>()
  const lost = Promise.withResolvers<never>()
  const told: string[] = []
  const refuse = (): never => assert.fail('nobody asks for this')
  const loading: Loading = {
    ...{ find: refuse, sleep: refuse, open: () => opening.promise, onLost: error => void told.push(`lost ${error}`) },
    logger: { info: () => {}, warn: refuse, error: (_about: unknown, text?: string) => void told.push(String(text)) },
    limits: { maxLoadRetries: 0, loadRetryMs: 1, parallelLoads: 1, pollMs: 0, allowLabelsOnUnavailable: false },
  }
  const model: Pick<Model, 'infer'> = { infer: () => Promise.resolve(new Map()) }
  const opened = {
    ...{ lost: lost.promise, model: model as Model, about: { metadata: {} } as never },
    async [Symbol.asyncDispose]() {
      told.push('freed')
    },
  }
  const version = new LiveVersion('m', FILE, () => {})
  const loaded = version.load(loading, toQueue({ parallel: 1, maxWaiting: 1 }), () => false)
  return { version, loaded, told, open: () => opening.resolve(opened), fail: opening.reject, lose: lost.reject }
}

describe('LiveVersion', () => {
  it('is served once it is loaded, and freed when it is unloaded', async () => {
    const { version, loaded, told, open } = openFake()
    assert.deepEqual([version.served, version.isLoading], [undefined, true])
    open()
    await loaded
    assert.deepEqual([version.served?.version, version.state], [3, 'AVAILABLE'])
    await version.unload()
    assert.deepEqual([version.served, version.state, told], [undefined, 'END', ['freed']])
  })

  it('is freed at once where it is not wanted any more when it is loaded', async () => {
    const { version, loaded, told, open } = openFake()
    await version.unload()
    open()
    await loaded
    assert.deepEqual([version.served, version.status, told], [undefined, toEnd(), ['freed']])
  })

  it('tells nothing of a load that fails when it is not wanted any more', async () => {
    const { version, loaded, told, fail } = openFake()
    await version.unload()
    fail(new RegattaError('MODEL_LOAD', 'broken'))
    await loaded
    assert.deepEqual([version.status, told], [toEnd(), []])
  })

  it('tells why it could not be loaded, in the codes of gRPC', async () => {
    const codes = [
      ['MODEL_MISSING', 'NOT_FOUND'],
      ['MODEL_LOAD', 'INVALID_ARGUMENT'],
      ['MODEL_SIGNATURE', 'UNIMPLEMENTED'],
      ['MODEL_WARM_UP', 'FAILED_PRECONDITION'],
      ['OTHER', 'UNKNOWN'],
    ] as const
    for (const [code, wanted] of codes) {
      const { version, loaded, told, fail } = openFake()
      fail(new RegattaError(code, 'why'))
      await loaded
      assert.deepEqual([version.status, told], [toEnd({ code: wanted, message: 'why' }), ['not loaded']])
    }
    const { version, loaded, fail } = openFake()
    fail(new TypeError('a bug'))
    await loaded
    assert.deepEqual(version.status.error, { code: 'UNKNOWN', message: 'a bug' })
  })

  it('tells of an engine that broke while it is served, and of none that was closed', async () => {
    for (const isServed of [true, false]) {
      const { version, loaded, told, open, lose } = openFake()
      open()
      await loaded
      if (!isServed) await version.unload()
      lose(new Error('the thread ended'))
      await new Promise(setImmediate)
      assert.deepEqual(told, isServed ? ['lost Error: the thread ended'] : ['freed'])
    }
  })
})

function toEnd(error: unknown = undefined): object {
  return { version: 3, state: 'END', error }
}
