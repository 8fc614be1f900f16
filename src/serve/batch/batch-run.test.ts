import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RegattaError } from '../../core/errors.ts'
import type { NamedTensors, Tensor } from '../../tensor/index.ts'
import type { Engine } from '../engine/engine.ts'
import { type BatchRun, type InferWork, toRunner } from './batch-run.ts'

const never = new AbortController().signal
const column = (...values: number[]): Tensor => ({
  dtype: 'float32',
  shape: [values.length, 1],
  data: Float32Array.from(values),
})
const toNumbers = ({ data }: Tensor): number[] => [...(data as Iterable<unknown>)].map(Number)
const work = (values: number[], more: Partial<InferWork> = {}): InferWork => ({
  inputs: new Map([['x', column(...values)]]),
  outputs: ['y'],
  key: 'k',
  rows: values.length,
  sizeBytes: 4 * values.length,
  signal: never,
  deadlineAt: undefined,
  ...more,
})

/** A runner of an engine that answers as given, with what it was asked and told. */
function openRunner(answer: (x: Tensor) => Tensor, lanes = 1) {
  const asked: number[][] = []
  const told: { runs: BatchRun[]; failures: number[]; mixed: string[] } = { runs: [], failures: [], mixed: [] }
  const engine: Engine = {
    inputs: [{ name: 'x', dtype: 'float32', shape: [-1, 1], axes: [] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [-1, 1] }],
    lanes,
    parallelRuns: lanes,
    lost: new Promise(() => {}),
    async run(inputs: NamedTensors) {
      const x = inputs.get('x') ?? column()
      asked.push(toNumbers(x))
      return { outputs: new Map([['y', answer(x)]]), computeMs: 1 }
    },
    async [Symbol.asyncDispose]() {},
  }
  const run = toRunner(
    engine,
    {
      onRun: one => told.runs.push(one),
      onFailure: ({ rows }) => told.failures.push(rows),
      onMixed: reason => told.mixed.push(reason),
    },
    { now: () => 1_000, tick: () => performance.now() },
  )
  return { run, asked, told }
}

const toDouble = (x: Tensor): Tensor => column(...toNumbers(x).map(value => 2 * value))
/** Values, or the texts of errors. */
const toResults = (settled: readonly PromiseSettledResult<{ outputs: NamedTensors }>[]): unknown[] =>
  settled.map(one =>
    one.status === 'fulfilled' ? toNumbers(one.value.outputs.get('y') ?? column()) : String(one.reason),
  )

describe('toRunner()', () => {
  it('runs works together and gives each its own rows', async () => {
    const { run, asked, told } = openRunner(toDouble)
    const settled = await run([work([1]), work([2, 3]), work([4])])
    assert.deepEqual(toResults(settled), [[2], [4, 6], [8]])
    assert.deepEqual(asked, [[1, 2, 3, 4]])
    assert.deepEqual(
      told.runs.map(({ requests, rows, computeMs }) => [requests, rows, computeMs]),
      [[3, 4, 1]],
    )
  })

  it('does not copy what runs alone', async () => {
    const { run } = openRunner(x => x)
    const alone = work([1, 2])
    const [settled] = await run([alone])
    assert.equal(settled?.status === 'fulfilled' && settled.value.outputs.get('y'), alone.inputs.get('x'))
  })

  it('reuses the memory of batches that come one after another, alone', async () => {
    for (const lanes of [1, 2]) {
      const seen = new Set<unknown>()
      const { run } = openRunner(x => {
        seen.add(x.dtype === 'float32' && x.data.buffer)
        return toDouble(x)
      }, lanes)
      await run([work([1]), work([2])])
      await run([work([3]), work([4])])
      assert.equal(seen.size, lanes)
    }
  })

  it('runs works singly where their batch fails, so that each gets its own error', async () => {
    const { run, asked, told } = openRunner(x => {
      if (toNumbers(x).includes(13)) throw new Error(`unlucky among ${x.data.length}`)
      return toDouble(x)
    })
    const settled = await run([work([1]), work([13]), work([2])])
    assert.deepEqual(toResults(settled), [[2], 'Error: unlucky among 1', [4]])
    assert.deepEqual(asked, [[1, 13, 2], [1], [13], [2]])
    assert.deepEqual(told.failures, [3, 1])
  })

  it('does not run again what nobody waits for any more', async () => {
    const { run, asked } = openRunner(() => {
      throw new Error('broken')
    })
    const settled = await run([work([1]), work([2], { signal: AbortSignal.abort() }), work([3], { deadlineAt: 999 })])
    assert.deepEqual(toResults(settled), [
      'Error: broken',
      'Refusal: The client closed the connection before its turn',
      'Refusal: The time limit of the request was over before its turn',
    ])
    assert.deepEqual(asked, [[1, 2, 3], [1]])
  })

  it('tells where an output does not have the rows, and runs singly', async () => {
    const { run, told } = openRunner(x => ({ ...toDouble(x), shape: [1, x.data.length] }))
    const settled = await run([work([1]), work([2])])
    assert.deepEqual(toResults(settled), [[2], [4]])
    assert.deepEqual(told.mixed, ['2 rows gave an output "y" of shape [1,2]'])
  })

  it('tries works whose engine was lost once more, and only once', async () => {
    let left = 1
    const { run, asked } = openRunner(x => {
      left -= 1
      if (left >= 0) throw new RegattaError('ENGINE_LOST', 'lost')
      return toDouble(x)
    })
    assert.deepEqual(toResults(await run([work([1])])), [[2]])
    left = 1
    assert.deepEqual(toResults(await run([work([1]), work([2])])), [[2], [4]])
    left = 9
    assert.deepEqual(toResults(await run([work([5])])), ['RegattaError: lost'])
    assert.deepEqual(asked.slice(-2), [[5], [5]])
  })
})
