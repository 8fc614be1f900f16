import { toErrorText } from '../../core/errors.ts'
import { fromHalfBits, isSameShape, type NamedTensors, type Tensor, type TensorSpec } from '../../tensor/index.ts'
import { TRIAL_COUNT, type TrialInput, toTrial } from './trial.ts'

/** A model that is ready to run, in whatever runs models. */
export interface RunnableModel extends AsyncDisposable {
  readonly inputs: readonly TrialInput[]
  readonly outputs: readonly TensorSpec[]
  /** Computes the named outputs of inputs that stay as they are meanwhile. */
  run(inputs: NamedTensors, outputs: readonly string[]): Promise<{ readonly outputs: NamedTensors }>
}

/** How two models stand to each other. */
export interface Comparison {
  /** Random inputs that both answered. */
  readonly inputs: number
  /** The largest difference: of a number, or of its share where the number is larger than 1. */
  readonly error: number
  /** Time of the fastest run on one row, ms: what else the machine does lengthens the others. */
  readonly beforeMs: number
  readonly afterMs: number
}

/** How far two models that count as equal may be apart. */
export const TOLERANCE = 1e-5
/** A model that refuses more of the random inputs proves nothing. */
const LEAST_INPUTS = 4
/** Turns in which runs are timed, and runs of each model in a turn: no more turns than fit into this time. */
const TIMED_TURNS = 10
const TIMED_RUNS = 10
const TIMED_MS = 400

/** What a comparison needs beside the models. */
export interface Comparing {
  /** Tells milliseconds. */
  readonly now: () => number
  readonly signal: AbortSignal
}

/**
 * Runs two models on the same random inputs, and times them in turns. A problem says why they do not count as equal.
 * @throws the signal's reason
 */
export async function compareModels(
  before: RunnableModel,
  after: RunnableModel,
  comparing: Comparing,
): Promise<Comparison | { readonly problem: string }> {
  const taken: number[] = []
  let error = 0
  for (let index = 0; index < TRIAL_COUNT; index++) {
    comparing.signal.throwIfAborted()
    const wanted = await tryRun(before, index)
    if (typeof wanted === 'string') continue
    const found = await tryRun(after, index)
    if (typeof found === 'string') return { problem: `it refuses an input that the model takes: ${found}` }
    taken.push(index)
    error = Math.max(error, toError(wanted, found))
    if (error === Number.POSITIVE_INFINITY) return { problem: 'it gives other outputs' }
    if (error > TOLERANCE) return { problem: `it answers otherwise, off by ${error.toExponential(1)}` }
  }
  const [first] = taken
  if (first === undefined || taken.length < LEAST_INPUTS) {
    return { problem: `the model takes ${taken.length} of ${TRIAL_COUNT} random inputs, too few to tell` }
  }
  const [beforeMs = 0, afterMs = 0] = await timeInTurns([before, after], first, comparing)
  return { inputs: taken.length, error, beforeMs, afterMs }
}

/** The time of each model's fastest run on the inputs of a try; they take turns. */
async function timeInTurns(
  models: readonly RunnableModel[],
  index: number,
  { now, signal }: Comparing,
): Promise<readonly number[]> {
  const times = models.map((): number[] => [])
  const startedAt = now()
  for (let turn = 0; turn < TIMED_TURNS && (turn === 0 || now() - startedAt < TIMED_MS); turn++) {
    for (const [place, model] of models.entries()) {
      // The first ones of a turn find the other model in the processor's caches.
      for (let count = 0; count < TIMED_RUNS; count++) {
        signal.throwIfAborted()
        const inputs = toTrial(model.inputs, index) ?? new Map()
        const runAt = now()
        await model.run(inputs, toOutputs(model))
        times[place]?.push(now() - runAt)
      }
    }
  }
  return times.map(values => Math.min(...values))
}

/** The answers to a try's inputs, or why there are none. */
async function tryRun(model: RunnableModel, index: number): Promise<NamedTensors | string> {
  const inputs = toTrial(model.inputs, index)
  if (inputs === undefined) return 'it takes texts'
  try {
    return (await model.run(inputs, toOutputs(model))).outputs
  } catch (error) {
    return toErrorText(error).trim()
  }
}

function toOutputs({ outputs }: RunnableModel): readonly string[] {
  return outputs.map(({ name }) => name)
}

function toError(wanted: NamedTensors, found: NamedTensors): number {
  return Math.max(0, ...[...wanted].map(([name, tensor]) => toTensorError(tensor, found.get(name))))
}

/** Infinity where the tensors differ in more than numbers. */
function toTensorError(wanted: Tensor, found: Tensor | undefined): number {
  if (found?.dtype !== wanted.dtype || !isSameShape(found.shape, wanted.shape)) return Number.POSITIVE_INFINITY
  let most = 0
  for (const [index, value] of wanted.data.entries()) {
    const other = found.data[index]
    if (Object.is(value, other)) continue
    const [a, b] = [toNumber(wanted.dtype, value), toNumber(wanted.dtype, other)]
    const error = Math.abs(a - b) / Math.max(1, Math.abs(a))
    if (Number.isNaN(error)) return Number.POSITIVE_INFINITY
    most = Math.max(most, error)
  }
  return most
}

function toNumber(dtype: Tensor['dtype'], value: string | number | bigint | undefined): number {
  if (dtype === 'float16' && typeof value === 'number') return fromHalfBits(value)
  return typeof value === 'string' ? Number.NaN : Number(value)
}
