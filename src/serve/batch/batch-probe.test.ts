import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type NamedTensors, type Tensor, toZeros } from '../../tensor/index.ts'
import { openOnnxEngine } from '../engine/onnx.node.ts'
import { toDouble, toFlat, toGather, toIdentity, toMixing, toMlp, toRnn, toTwoByTwo } from '../testing/models.ts'
import { openPlace } from '../testing/place.ts'
import { type BatchProbe, probeBatching } from './batch-probe.ts'

async function probe(model: Uint8Array, sample: NamedTensors, maxRows = 8): Promise<BatchProbe> {
  await using place = await openPlace({ 1: model })
  await using engine = await openOnnxEngine({ path: join(place.basePath, '1', 'model.onnx'), intraOpThreads: 1 })
  return await probeBatching(engine, { sample, maxRows, maxRunMs: 1_000, now: () => performance.now() })
}

const zeros = (...shape: number[]): NamedTensors => new Map([['x', toZeros('float32', shape)]])
const places = (...values: bigint[]): NamedTensors => {
  const tensor: Tensor = { dtype: 'int64', shape: [values.length], data: BigInt64Array.from(values) }
  return new Map([['x', tensor]])
}

describe('probeBatching()', () => {
  const together: readonly [name: string, model: Uint8Array, sample: NamedTensors][] = [
    ['a perceptron', toMlp(), zeros(1, 4)],
    ['a recurrent network', toRnn(10, 8), zeros(1, 10, 1)],
    [
      'two inputs and outputs',
      toTwoByTwo(),
      new Map([
        ['a', toZeros('float32', [1, 1])],
        ['b', toZeros('float32', [1, 1])],
      ]),
    ],
    ['places in a table', toGather(), places(0n)],
    ['texts', toIdentity('string', ['n']), new Map([['x', toZeros('string', [1])]])],
    ['halves', toIdentity('float16', ['n', 2]), new Map([['x', toZeros('float16', [1, 2])]])],
    ['booleans', toIdentity('bool', ['n']), new Map([['x', toZeros('bool', [1])]])],
    ['unsigned integers of 64 bits', toIdentity('uint64', ['n']), new Map([['x', toZeros('uint64', [1])]])],
  ]
  for (const [name, model, sample] of together) {
    it(`runs ${name} together`, async () => {
      const found = await probe(model, sample)
      assert.equal(found.kind, 'together', found.kind === 'singly' ? found.reason : '')
      assert.ok(found.kind === 'together' && found.size.maxRows > 1)
    })
  }

  const singly: readonly [name: string, model: Uint8Array, sample: NamedTensors, reason: RegExp][] = [
    ['a fixed first dimension', toDouble(2), zeros(2, 2), /^the first dimension of "x" is not free$/],
    ['a scalar', toIdentity('float32', []), zeros(), /^the first dimension of "x" is not free$/],
    ['rows that depend on each other', toMixing(), zeros(1, 2), /^rows of output "y" depend on each other$/],
    ['an output of other rows', toFlat(), zeros(1, 2), /^2 rows give an output "y" of shape \[4\]$/],
  ]
  for (const [name, model, sample, reason] of singly) {
    it(`runs a model with ${name} singly`, async () => {
      const found = await probe(model, sample)
      assert.ok(found.kind === 'singly')
      assert.match(found.reason, reason)
    })
  }

  it('leaves sizes untried where that takes long', async () => {
    await using place = await openPlace({ 1: toMlp() })
    await using engine = await openOnnxEngine({ path: join(place.basePath, '1', 'model.onnx'), intraOpThreads: 1 })
    const countRuns = async (stepMs: number): Promise<number> => {
      let [runs, at] = [0, 0]
      const run: typeof engine.run = async (...parameters) => {
        runs += 1
        return await engine.run(...parameters)
      }
      const now = (): number => (at += stepMs)
      const bounds = { sample: zeros(1, 4), maxRows: 8, maxRunMs: 1_000, now }
      assert.equal((await probeBatching({ ...engine, run }, bounds)).kind, 'together')
      return runs
    }
    const [patient, hasty] = [await countRuns(0), await countRuns(201)]
    assert.ok(hasty > 0 && hasty < patient, `${hasty} of ${patient} runs`)
  })

  it('runs singly where batching is off', async () => {
    assert.deepEqual(await probe(toMlp(), zeros(1, 4), 1), { kind: 'singly', reason: 'batching is off' })
  })
})
