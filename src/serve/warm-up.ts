import { RegattaError, toErrorText } from '../core/errors.ts'
import { toElementCount, toZeros } from '../tensor/index.ts'
import type { Engine } from './engine.ts'

/** Lengths tried for free dimensions behind the first: some models need a few steps, or an image. */
const LENGTHS = [1, 16, 64, 224]
/** Larger inputs of zeros are not tried. */
const MAX_ELEMENTS = 16 * 1024 * 1024

/** Runs that are timed, once the first is over: as many as fit into this time, and at most so many. */
const TIMED_RUNS = 9
const TIMED_MS = 30

/** What runs on zeros showed. */
export type WarmUp =
  /** `runMs`: median time of one run. */
  | { readonly kind: 'warm'; readonly runMs: number }
  /** The model refuses zeros of every shape tried; with free dimensions that proves nothing against it. */
  | { readonly kind: 'unproven'; readonly reason: string }

/**
 * Runs the model on zeros, one row of them, so that no client waits for what ONNX Runtime prepares at the first run,
 * and times further runs. `now` tells milliseconds. @throws MODEL_WARM_UP where a model without free dimensions cannot be run
 */
export async function warmUp(engine: Engine, now: () => number): Promise<WarmUp> {
  const isFree = engine.inputs.some(({ shape }) => shape.slice(1).includes(-1))
  let reason = ''
  for (const length of isFree ? LENGTHS : LENGTHS.slice(0, 1)) {
    try {
      await runZeros(engine, length)
      return { kind: 'warm', runMs: await timeRuns(() => runZeros(engine, length), now) }
    } catch (error) {
      reason = toErrorText(error).trim()
    }
  }
  if (isFree) return { kind: 'unproven', reason }
  throw new RegattaError('MODEL_WARM_UP', `Cannot run the model on zeros: ONNX Runtime says "${reason}"`)
}

async function timeRuns(run: () => Promise<void>, now: () => number): Promise<number> {
  const startedAt = now()
  const times: number[] = []
  do {
    const runAt = now()
    await run()
    times.push(now() - runAt)
  } while (times.length < TIMED_RUNS && now() - startedAt < TIMED_MS)
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
}

async function runZeros(engine: Engine, length: number): Promise<void> {
  const zeros = engine.inputs.map(({ name, dtype, shape }) => {
    const sizes = shape.map((size, axis) => (size !== -1 ? size : axis === 0 ? 1 : length))
    if (toElementCount(sizes) > MAX_ELEMENTS) throw new Error(`${toElementCount(sizes)} zeros are too many`)
    return [name, toZeros(dtype, sizes)] as const
  })
  const outputs = engine.outputs.map(output => output.name)
  await engine.run(new Map(zeros), outputs)
}
