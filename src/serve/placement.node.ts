import type { Engine, EngineOptions } from './engine.ts'
import { openOnnxEngine } from './onnx.node.ts'
import { openThreadEngine } from './thread.node.ts'
import { warmUp } from './warm-up.ts'

/** A run that takes longer goes to a thread: health and metrics must not wait for it. */
const MAX_INLINE_MS = 1
/** A model of more bytes is loaded in a thread: it would block this one for too long. */
const MAX_INLINE_BYTES = 16 * 1024 * 1024

/** Where a model runs, and what its warm-up showed. */
export interface Placed {
  readonly engine: Engine
  readonly place: 'inline' | 'thread'
  /** Median time of one run on zeros, ms; undefined where the model refuses them, with the reason. */
  readonly runMs: number | undefined
  readonly reason: string | undefined
}

/**
 * Loads and warms a model: in this thread where a run is cheaper than handing it over is worth, else in its own.
 * `isQuiet`: always in its own, for this one is busy with others.
 * @throws MODEL_LOAD, MODEL_SIGNATURE, MODEL_WARM_UP
 */
export async function placeEngine(options: EngineOptions, sizeBytes: number, isQuiet = false): Promise<Placed> {
  if (sizeBytes <= MAX_INLINE_BYTES && !isQuiet) {
    const placed = await openWarm('inline', options)
    if (placed.runMs !== undefined && placed.runMs <= MAX_INLINE_MS) return placed
    await placed.engine[Symbol.asyncDispose]()
  }
  return await openWarm('thread', options)
}

async function openWarm(place: Placed['place'], options: EngineOptions): Promise<Placed> {
  const engine = place === 'inline' ? await openOnnxEngine(options) : await openThreadEngine(options)
  try {
    const warm = await warmUp(engine, () => performance.now())
    return {
      engine,
      place,
      runMs: warm.kind === 'warm' ? warm.runMs : undefined,
      reason: warm.kind === 'warm' ? undefined : warm.reason,
    }
  } catch (error) {
    await engine[Symbol.asyncDispose]()
    throw error
  }
}
