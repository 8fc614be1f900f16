import { type BatchProbe, probeBatching } from '../batch/batch-probe.ts'
import type { Engine, EngineOptions, Signature } from './engine.ts'
import { openOnnxEngine } from './onnx.node.ts'
import { openPool } from './pool.node.ts'
import { openThreadEngine } from './thread.node.ts'
import { runWarmUpRequests, type WarmUp, type WarmUpRequest, warmUp } from './warm-up.ts'

/** A run that takes longer goes to a thread: health and metrics must not wait for it. */
const MAX_INLINE_MS = 1
/** Nor for a batch of runs, where it is short enough alone. */
const MAX_INLINE_BATCH_MS = 5
/** A batch in a thread keeps only its like waiting. */
const MAX_THREAD_BATCH_MS = 100
/**
 * A larger model is loaded in a thread: loading blocks, for some ten milliseconds from 4 MiB on, for one at 1 MiB.
 * Starting a thread takes longer than all of that, which is spared where nobody is served yet.
 */
const MAX_INLINE_BYTES = 1024 * 1024
const MAX_QUIET_BYTES = 16 * 1024 * 1024

/** How a model is to be loaded. */
export interface PlaceOptions extends EngineOptions {
  /** Of all files of the version. */
  readonly sizeBytes: number
  /** Whether others are served meanwhile, who would wait. */
  readonly isBusy: boolean
  /** Threads for a model that does not run inline. */
  readonly threads: number
  /** Rows of a batch, at most; 1 for none. */
  readonly maxBatchRows: number
  /** Reads the requests shipped with the model, once its signature is known. */
  readonly readWarmUps: (signature: Signature) => Promise<readonly WarmUpRequest[]>
  /** Told of a thread that was lost, or could not be opened. */
  readonly onTrouble: (text: string) => void
}

/** Where a model runs, and what its warm-up showed. */
export interface Placed {
  readonly engine: Engine
  readonly place: 'inline' | 'thread'
  /** Time of the quickest run, ms; undefined where the model refuses zeros and has no request, with the reason. */
  readonly runMs: number | undefined
  readonly reason: string | undefined
  readonly batching: BatchProbe
  /** How many shipped requests were run, and how long that took. */
  readonly warmUps: number
  readonly warmUpMs: number
}

/**
 * Loads and warms a model: in this thread where a run is cheaper than handing it over is worth, else in threads of its
 * own. @throws MODEL_LOAD, MODEL_SIGNATURE, MODEL_WARM_UP, and what reading its warm-up requests throws
 */
export async function placeEngine(options: PlaceOptions): Promise<Placed> {
  if (options.sizeBytes <= (options.isBusy ? MAX_INLINE_BYTES : MAX_QUIET_BYTES)) {
    const engine = await openOnnxEngine(options)
    const placed = await disposeOnError(engine, async () => {
      const first = await begin(engine, options)
      const isQuick = first.warmUp.kind === 'warm' && first.warmUp.runMs <= MAX_INLINE_MS
      return isQuick ? await finish(engine, 'inline', first, options) : undefined
    })
    if (placed !== undefined) return placed
    await engine[Symbol.asyncDispose]()
  }
  const engine = await openThreadEngine(options)
  return await disposeOnError(engine, async () => {
    const first = await begin(engine, options)
    const placed = await finish(engine, 'thread', first, options)
    const open = (): Promise<Engine> => openAnother(options, first)
    return { ...placed, engine: openPool(engine, { size: options.threads, open, onTrouble: options.onTrouble }) }
  })
}

const tick = (): number => performance.now()

/** The first runs of an engine, and what was shipped for the next ones. */
interface Beginning {
  readonly requests: readonly WarmUpRequest[]
  readonly warmUp: WarmUp
}

async function begin(engine: Engine, options: PlaceOptions): Promise<Beginning> {
  const requests = await options.readWarmUps(engine)
  return { requests, warmUp: await warmUp(engine, requests[0]?.inputs, tick) }
}

async function finish(
  engine: Engine,
  place: Placed['place'],
  { requests, warmUp }: Beginning,
  { maxBatchRows }: PlaceOptions,
): Promise<Placed> {
  const startedAt = tick()
  await runWarmUpRequests(engine, requests)
  const warmUpMs = tick() - startedAt
  const shared = { engine, place, warmUps: requests.length, warmUpMs }
  if (warmUp.kind === 'unproven') {
    const batching = { kind: 'singly', reason: 'the model was not warmed' } as const
    return { ...shared, runMs: undefined, reason: warmUp.reason, batching }
  }
  const { sample, runMs } = warmUp
  const maxRunMs = place === 'inline' ? MAX_INLINE_BATCH_MS : MAX_THREAD_BATCH_MS
  const batching = await probeBatching(engine, { sample, maxRows: maxBatchRows, maxRunMs, now: tick })
  return { ...shared, runMs, reason: undefined, batching }
}

async function openAnother(options: PlaceOptions, { requests }: Beginning): Promise<Engine> {
  const engine = await openThreadEngine(options)
  return await disposeOnError(engine, async () => {
    await warmUp(engine, requests[0]?.inputs, tick)
    return engine
  })
}

async function disposeOnError<result>(engine: Engine, work: () => Promise<result>): Promise<result> {
  try {
    return await work()
  } catch (error) {
    await engine[Symbol.asyncDispose]()
    throw error
  }
}
