import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Tensor } from '../../tensor/index.ts'
import { toGather, toIdentity, toPassing, toSlow, toTwoByTwo } from '../testing/models.ts'
import type { OnnxType } from '../testing/onnx-model.ts'
import { openPlace } from '../testing/place.ts'
import type { Engine } from './engine.ts'
import { openOnnxEngine } from './onnx.node.ts'
import { openPool } from './pool.node.ts'
import { openThreadEngine } from './thread.node.ts'

const float = (...values: number[]): Tensor => ({
  dtype: 'float32',
  shape: [values.length, 1],
  data: Float32Array.from(values),
})

/** Every engine keeps to the same interface; both are asked the same. */
for (const [name, openEngine] of [
  ['openOnnxEngine()', openOnnxEngine],
  ['openThreadEngine()', openThreadEngine],
] as const) {
  const open = async (model: Uint8Array): Promise<Engine & { readonly basePath: string }> => {
    const place = await openPlace({ 1: model })
    const path = join(place.basePath, '1', 'model.onnx')
    try {
      const engine = await openEngine({ path, intraOpThreads: 1 })
      return { ...engine, basePath: place.basePath }
    } finally {
      await place[Symbol.asyncDispose]()
    }
  }

  describe(name, () => {
    it('tells the signature, with the names of free dimensions', async () => {
      await using engine = await open(toTwoByTwo())
      const spec = { dtype: 'float32', shape: [-1, 1] }
      assert.deepEqual(engine.inputs, [
        { name: 'a', ...spec, axes: ['batch', undefined] },
        { name: 'b', ...spec, axes: ['batch', undefined] },
      ])
      assert.deepEqual(engine.outputs, [
        { name: 'sum', ...spec },
        { name: 'difference', ...spec },
      ])
    })

    it('computes the outputs asked for', async () => {
      await using engine = await open(toTwoByTwo())
      const inputs = () =>
        new Map([
          ['a', float(3, 5)],
          ['b', float(1, 1)],
        ])
      const { outputs, computeMs } = await engine.run(inputs(), ['sum'])
      assert.deepEqual(outputs, new Map([['sum', float(4, 6)]]))
      assert.ok(computeMs > 0 && computeMs < 1_000, `${computeMs} ms`)
      const { outputs: both } = await engine.run(inputs(), ['difference', 'sum'])
      assert.deepEqual([both.get('sum'), both.get('difference')], [float(4, 6), float(2, 4)])
    })

    it('computes tensors that are parts of one memory, which stays', async () => {
      await using engine = await open(toTwoByTwo())
      const memory = Float32Array.of(3, 5, 1, 1)
      const part = (from: number): Tensor => ({
        dtype: 'float32',
        shape: [2, 1],
        data: memory.subarray(from, from + 2),
      })
      const inputs = new Map([
        ['a', part(0)],
        ['b', part(2)],
      ])
      assert.deepEqual((await engine.run(inputs, ['sum'])).outputs, new Map([['sum', float(4, 6)]]))
      assert.deepEqual(memory, Float32Array.of(3, 5, 1, 1))
    })

    const tensors: readonly Tensor[] = [
      { dtype: 'float16', shape: [2], data: Uint16Array.of(0x3c00, 0x7bff) },
      { dtype: 'string', shape: [2], data: ['a', 'é'] },
      { dtype: 'float32', shape: [0], data: new Float32Array() },
    ]
    for (const tensor of tensors) {
      it(`keeps ${tensor.data.length} elements of ${tensor.dtype}`, async () => {
        const dtype: OnnxType = tensor.dtype
        await using engine = await open(toIdentity(dtype, ['n']))
        // Its memory goes to the engine.
        const given = structuredClone(tensor)
        assert.deepEqual((await engine.run(new Map([['x', given]]), ['y'])).outputs.get('y'), tensor)
      })
    }

    it('gives memory of its own: that of the inputs is used again', async () => {
      await using engine = await open(toPassing())
      const x = { dtype: 'float32', shape: [1], data: Float32Array.of(7) } as const
      const { outputs } = await engine.run(new Map([['x', x]]), ['x', 'y'])
      x.data.fill(0)
      assert.deepEqual([outputs.get('x')?.data, outputs.get('y')?.data], [Float32Array.of(7), Float32Array.of(14)])
    })

    it('rejects a run that fails, and goes on', async () => {
      await using engine = await open(toGather())
      const at = (place: bigint) =>
        new Map([['x', { dtype: 'int64', shape: [1], data: BigInt64Array.of(place) } as const]])
      await assert.rejects(engine.run(at(9n), ['y']), { message: /idx=9/ })
      const { data } = (await engine.run(at(1n), ['y'])).outputs.get('y') ?? {}
      assert.deepEqual(data, Float32Array.of(20))
    })

    it('finishes the runs under way before it closes', async () => {
      const engine = await open(toSlow(2))
      const one = (): Map<string, Tensor> =>
        new Map([['x', { dtype: 'float32', shape: [1, 1], data: Float32Array.of(1) }]])
      const runs = [engine.run(one(), ['y']), engine.run(one(), ['y'])]
      await engine[Symbol.asyncDispose]()
      for (const run of runs) assert.deepEqual((await run).outputs.get('y')?.data, Float32Array.of(1))
    })

    it('says why it cannot load', async () => {
      await assert.rejects(open(Buffer.from('pickle')), { code: 'MODEL_LOAD', fix: /whole ONNX model/ })
    })
  })
}

describe('openThreadEngine(), when its thread has ended', () => {
  it('rejects runs and tells that it is lost', async () => {
    await using place = await openPlace({ 1: toGather() })
    const engine = await openThreadEngine({ path: join(place.basePath, '1', 'model.onnx'), intraOpThreads: 1 })
    await engine[Symbol.asyncDispose]()
    await assert.rejects(engine.lost, { code: 'ENGINE_LOST' })
    const place0: Tensor = { dtype: 'int64', shape: [1], data: new BigInt64Array(1) }
    await assert.rejects(engine.run(new Map([['x', place0]]), ['y']), { code: 'ENGINE_LOST' })
  })

  it('is replaced in a pool, which goes on', async () => {
    await using place = await openPlace({ 1: toGather() })
    const open = () => openThreadEngine({ path: join(place.basePath, '1', 'model.onnx'), intraOpThreads: 1 })
    const first = await open()
    const troubles: string[] = []
    await using pool = openPool(first, { size: 1, open, onTrouble: text => troubles.push(text) })
    await first[Symbol.asyncDispose]()
    const place2: Tensor = { dtype: 'int64', shape: [1], data: BigInt64Array.of(2n) }
    const { outputs } = await pool.run(new Map([['x', place2]]), ['y'])
    assert.deepEqual(
      [outputs.get('y')?.data, troubles],
      [Float32Array.of(30), ["The model's thread ended: exit code 0"]],
    )
    assert.deepEqual(place2.data, BigInt64Array.of(2n), 'what was asked stays with who asked')
  })
})
