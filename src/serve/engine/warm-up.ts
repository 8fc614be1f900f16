import { RegattaError, toErrorText } from '../../core/errors.ts'
import { type NamedTensors, toElementCount, toZeros } from '../../tensor/index.ts'
import type { Engine, EngineRun } from './engine.ts'

/** A request to be run before any client's. */
export interface WarmUpRequest {
  /** Where it stands, for errors: `warmup.json, request 3`. */
  readonly where: string
  readonly inputs: NamedTensors
  /** Names of the wanted outputs. */
  readonly outputs: readonly string[]
}

/** What the first runs showed. */
export type WarmUp =
  /** `runMs`: time of the quickest run, for a busy machine only ever adds to it. `sample`: inputs that the model takes. */
  | { readonly kind: 'warm'; readonly runMs: number; readonly sample: NamedTensors }
  /** The model refuses zeros of every shape tried; with free dimensions that proves nothing against it. */
  | { readonly kind: 'unproven'; readonly reason: string }

/** Lengths tried for free dimensions behind the first: some models need a few steps, or an image. */
const LENGTHS = [1, 16, 64, 224]
/** Larger inputs of zeros are not tried. */
const MAX_ELEMENTS = 16 * 1024 * 1024

/** Runs that are timed, once the first is over: as many as begin within this time, and at most so many. */
const TIMED_RUNS = 9
const TIMED_MS = 30

/**
 * Runs the model on zeros, one row of them, so that no client waits for what ONNX Runtime prepares at the first run,
 * and times further runs. Where it refuses zeros, `example` is what it is run on, if there is one. `now` tells
 * milliseconds. @throws MODEL_WARM_UP where a model without free dimensions cannot be run
 */
export async function warmUp(engine: Engine, example: NamedTensors | undefined, now: () => number): Promise<WarmUp> {
  const isFree = engine.inputs.some(({ shape }) => shape.slice(1).includes(-1))
  let reason = ''
  for (const length of isFree ? LENGTHS : LENGTHS.slice(0, 1)) {
    try {
      return await runSample(engine, toSample(engine, length), now)
    } catch (error) {
      reason = toErrorText(error).trim()
    }
  }
  if (example !== undefined) return await runSample(engine, example, now)
  if (isFree) return { kind: 'unproven', reason }
  throw new RegattaError('MODEL_WARM_UP', `Cannot run the model on zeros: ONNX Runtime says "${reason}"`)
}

/** Runs the requests that were shipped with a model, in their order. @throws MODEL_WARM_UP, naming the one that fails */
export async function runWarmUpRequests(engine: Engine, requests: readonly WarmUpRequest[]): Promise<void> {
  for (const { where, inputs, outputs } of requests) {
    try {
      await engine.run(inputs, outputs)
    } catch (error) {
      const text = `Cannot run a warm-up request of the model: ONNX Runtime says "${toErrorText(error).trim()}"`
      throw new RegattaError('MODEL_WARM_UP', text, { where, cause: error })
    }
  }
}

async function runSample(engine: Engine, sample: NamedTensors, now: () => number): Promise<WarmUp> {
  const outputs = engine.outputs.map(output => output.name)
  await engine.run(sample, outputs)
  return { kind: 'warm', sample, runMs: await timeRuns(() => engine.run(sample, outputs), now) }
}

async function timeRuns(run: () => Promise<EngineRun>, now: () => number): Promise<number> {
  const startedAt = now()
  let least = Number.POSITIVE_INFINITY
  for (let runs = 0; runs === 0 || (runs < TIMED_RUNS && now() - startedAt < TIMED_MS); runs += 1)
    least = Math.min(least, (await run()).computeMs)
  return least
}

function toSample(engine: Engine, length: number): NamedTensors {
  const zeros = engine.inputs.map(({ name, dtype, shape }) => {
    const sizes = shape.map((size, axis) => (size !== -1 ? size : axis === 0 ? 1 : length))
    if (toElementCount(sizes) > MAX_ELEMENTS) throw new Error(`${toElementCount(sizes)} zeros are too many`)
    return [name, toZeros(dtype, sizes)] as const
  })
  return new Map(zeros)
}
