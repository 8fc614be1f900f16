import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { NamedTensors } from '../../tensor/index.ts'
import { toGather, toMlp, toRowSum, toSlow } from '../testing/models.ts'
import { openPlace } from '../testing/place.ts'
import { untilTrue } from '../testing/until-true.ts'
import { type PlaceOptions, placeEngine } from './placement.node.ts'

/** Places a model whose folder is gone once it is loaded, unless it is to be loaded again. */
async function place(model: Uint8Array, options: Partial<PlaceOptions> = {}) {
  const folder = await openPlace({ 1: model })
  const troubles: string[] = []
  const placed = await placeEngine({
    path: join(folder.basePath, '1', 'model.onnx'),
    sizeBytes: model.length,
    isBusy: true,
    intraOpThreads: 1,
    threads: 1,
    maxBatchRows: 8,
    readWarmUps: async () => [],
    onTrouble: text => troubles.push(text),
    ...options,
  })
  return {
    ...placed,
    troubles,
    async [Symbol.asyncDispose]() {
      await placed.engine[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

const one = (): NamedTensors => new Map([['x', { dtype: 'float32', shape: [1, 1], data: Float32Array.of(1) }]])

describe('placeEngine()', () => {
  it('keeps a small model of quick runs inline, and learns its batches', async () => {
    await using placed = await place(toMlp())
    assert.equal(placed.place, 'inline')
    assert.ok(placed.runMs !== undefined && placed.runMs > 0)
    assert.ok(placed.batching.kind === 'together' && placed.batching.size.maxRows === 8)
  })

  it('puts long runs into threads', async () => {
    await using placed = await place(toSlow(6), { threads: 2 })
    assert.equal(placed.place, 'thread')
    await untilTrue(async () => placed.engine.lanes === 2)
    const results = await Promise.all(Array.from({ length: 4 }, () => placed.engine.run(one(), ['y'])))
    assert.ok(results.every(({ outputs }) => outputs.get('y')?.data[0] === 1))
  })

  it('puts a large model into threads, unless nobody is served yet', async () => {
    for (const [isBusy, wanted] of [
      [true, 'thread'],
      [false, 'inline'],
    ] as const) {
      await using placed = await place(toMlp(), { sizeBytes: 2 * 1024 * 1024, isBusy })
      assert.equal(placed.place, wanted)
    }
  })

  it('learns from a shipped request what zeros do not tell', async () => {
    const x: NamedTensors = new Map([['x', { dtype: 'float32', shape: [2, 5], data: new Float32Array(10).fill(1) }]])
    const readWarmUps = async () => [{ where: 'warmup.json', inputs: x, outputs: ['y'] }]
    await using unproven = await place(toRowSum(5))
    assert.deepEqual([unproven.runMs, unproven.batching.kind], [undefined, 'singly'])
    await using placed = await place(toRowSum(5), { readWarmUps })
    assert.deepEqual([placed.place, placed.warmUps, placed.batching.kind], ['inline', 1, 'together'])
  })

  it('fails where a shipped request fails', async () => {
    const x: NamedTensors = new Map([['x', { dtype: 'int64', shape: [1], data: BigInt64Array.of(5n) }]])
    const readWarmUps = async () => [{ where: 'records, request 1', inputs: x, outputs: ['y'] }]
    await assert.rejects(place(toGather(), { readWarmUps }), {
      code: 'MODEL_WARM_UP',
      message: /^Cannot run a warm-up request of the model: ONNX Runtime says ".*idx=5.*" \(records, request 1\)$/s,
    })
  })
})
