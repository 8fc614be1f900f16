import { RegattaError, toErrorText } from '../../core/errors.ts'
import type { NamedTensors } from '../../tensor/index.ts'
import type { Placed } from '../engine/placement.node.ts'
import { Refusal } from '../errors.ts'
import type { Model } from '../model.ts'
import type { Logger } from '../options.ts'
import { findCall } from '../telemetry/call.ts'
import type { VersionMetrics } from '../telemetry/metrics.ts'
import { type Inferred, type InferWork, type RunnerEvents, toRunner } from './batch-run.ts'
import { Batcher } from './batcher.ts'
import type { BatchingOptions } from './batching.ts'
import { checkOutputBytes, toWorkMaker } from './infer-work.ts'

/** How requests for a model are run. */
export interface InferenceOptions {
  readonly batching: Required<BatchingOptions>
  /** Requests that wait for the engine; more are refused. */
  readonly maxWaiting: number
  /** What the inputs and outputs of a run may take of memory, bytes. */
  readonly maxRunBytes: number
  /** Starts to count, given how to find out how many requests wait. */
  readonly openMetrics: (waiting: () => number) => VersionMetrics
  readonly logger: Logger | undefined
}

/** More bytes are not joined: there is nothing left to gain. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024

/** A model as protocols ask it; its engine ends with it. */
export interface ServedModel extends AsyncDisposable {
  readonly model: Model
  /** Rejects when the model can no longer be run, and never settles otherwise. */
  readonly lost: Promise<never>
}

/** Puts a model that was loaded behind a queue; requests that fit together run together, and all are counted. */
export function toServedModel(placed: Placed, options: InferenceOptions): ServedModel {
  const { engine } = placed
  const batcher = openBatcher(placed, options, () => metrics)
  const metrics = options.openMetrics(() => batcher.waiting)
  const toWork = toWorkMaker(engine, options.maxRunBytes)
  const model: Model = {
    inputs: engine.inputs,
    outputs: engine.outputs,
    metrics,
    async infer(inputs, outputs, signal, deadlineAt) {
      const addedAt = performance.now()
      try {
        const work = toWork(inputs, { outputs, signal, deadlineAt })
        const inferred = await batcher.add(work)
        checkOutputBytes(inferred.outputs, options.maxRunBytes)
        report(metrics, work, inferred, addedAt)
        return toWanted(inferred.outputs, outputs)
      } catch (error) {
        metrics.onFailed(performance.now() - addedAt)
        throw toInferenceRefusal(error)
      }
    },
  }
  return {
    model,
    lost: engine.lost,
    async [Symbol.asyncDispose]() {
      metrics[Symbol.dispose]()
      await engine[Symbol.asyncDispose]()
    },
  }
}

function openBatcher(
  { engine, batching }: Placed,
  options: InferenceOptions,
  toMetrics: () => VersionMetrics,
): Batcher<InferWork, Inferred> {
  let size = batching.kind === 'together' ? batching.size : undefined
  const events: RunnerEvents = {
    onRun(run) {
      toMetrics().onRun(run)
      size?.learn(run.rows, run.computeMs)
    },
    onFailure: () => toMetrics().onRunFailure(),
    onMixed(reason) {
      size = undefined
      options.logger?.warn({ reason }, 'requests are run singly from now on')
    },
  }
  return new Batcher({
    run: toRunner(engine, events, { now: Date.now, tick: () => performance.now() }),
    parallel: () => (size === undefined ? engine.parallelRuns : engine.lanes),
    maxRows: () => size?.maxRows ?? 1,
    maxBytes: Math.min(MAX_BATCH_BYTES, options.maxRunBytes),
    maxWaiting: options.maxWaiting,
    maxDelayMs: options.batching.maxDelayMs,
    clock: { now: Date.now, defer: setImmediate, after: (delayMs, call) => void setTimeout(call, delayMs) },
  })
}

function report(metrics: VersionMetrics, { rows }: InferWork, { run }: Inferred, addedAt: number): void {
  const { protocol = 'other', trace } = findCall() ?? {}
  metrics.onInferred({
    protocol,
    rows,
    tookMs: performance.now() - addedAt,
    queueMs: run.startedAt - addedAt,
    run,
    traceId: trace?.traceId,
  })
  trace?.addPart('queue', addedAt, run.startedAt)
  trace?.addPart('infer', run.inferAt, run.splitAt, { 'batch.rows': run.rows, 'batch.requests': run.requests })
}

/** The outputs in the order in which they were asked for. */
function toWanted(results: NamedTensors, outputs: readonly string[]): NamedTensors {
  if (outputs.length === 1 && results.size === 1 && results.has(outputs[0] ?? '')) return results
  return new Map(
    outputs.map(name => {
      const tensor = results.get(name)
      if (tensor === undefined) throw new Error(`The model gave no output "${name}"`)
      return [name, tensor]
    }),
  )
}

const MAX_TEXT = 1000

/**
 * ONNX Runtime's words go to the client. Types and shapes are checked before: an operator that fails nevertheless does
 * so on the values (an index out of range), unless there was no memory left.
 */
function toInferenceRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof RegattaError && error.code === 'ENGINE_LOST')
    return new Refusal('NOT_READY', error.message, { cause: error })
  const text = toErrorText(error).trim().slice(0, MAX_TEXT)
  const isAboutValues = /while running \S+ node/.test(text) && !/allocat/i.test(text)
  const code = isAboutValues ? 'BAD_REQUEST' : 'INFERENCE'
  return new Refusal(code, `Cannot run the model on these inputs: ONNX Runtime says "${text}"`, { cause: error })
}
