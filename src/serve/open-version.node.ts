import type { NamedTensors } from '../tensor/index.ts'
import type { Engine } from './engine.ts'
import { toServedModel } from './inference.node.ts'
import type { ModelFile, OpenedVersion } from './loading.ts'
import { type ServerMetrics, toVersionMetrics } from './metrics.ts'
import type { Model } from './model.ts'
import { readOnnxAbout } from './onnx-about.node.ts'
import type { Limits, Logger } from './options.ts'
import { placeEngine } from './placement.node.ts'
import { type Queue, toQueue } from './queue.ts'
import { checkModelFile } from './repository.node.ts'
import { type StatisticsCounter, toStatisticsCounter } from './statistics.ts'

/** What versions share. */
export interface VersionParts {
  readonly limits: Limits
  readonly metrics: ServerMetrics
  readonly logger: Logger | undefined
  /** The queues of open versions, for those who count what waits. */
  readonly queues: Set<Queue>
}

/**
 * Loads and warms a version, and gives it its queue and its counters.
 * @throws MODEL_MISSING, MODEL_LOAD, MODEL_SIGNATURE, MODEL_WARM_UP
 */
export async function openVersion(
  { limits, metrics, logger, queues }: VersionParts,
  name: string,
  file: ModelFile,
  isQuiet: boolean,
): Promise<OpenedVersion> {
  await checkModelFile(file)
  const { path, sizeBytes, version } = file
  const options = { path, intraOpThreads: limits.intraOpThreads }
  const { engine, ...placed } = await placeEngine(options, sizeBytes, isQuiet)
  logger?.info({ ...placed, path }, placed.reason === undefined ? 'loaded' : 'loaded, but not warmed')
  const counter = toStatisticsCounter()
  const versionMetrics = toVersionMetrics(metrics, name, version)
  const queue = toQueue({ parallel: engine.parallelRuns, maxWaiting: limits.maxWaiting })
  queues.add(queue)
  const model = toServedModel(toTimedEngine(engine, counter), toTimedQueue(queue, counter), versionMetrics)
  return {
    model: toTimedModel(model, counter),
    about: await readOnnxAbout(path),
    statistics: counter.read,
    lost: engine.lost,
    async [Symbol.asyncDispose]() {
      queues.delete(queue)
      versionMetrics.remove()
      await engine[Symbol.asyncDispose]()
    },
  }
}

function toTimedEngine(engine: Engine, counter: StatisticsCounter): Engine {
  return {
    ...engine,
    async run(inputs, outputs) {
      const startedAt = performance.now()
      const results = await engine.run(inputs, outputs)
      counter.onRun(performance.now() - startedAt)
      return results
    },
  }
}

function toTimedQueue(queue: Queue, counter: StatisticsCounter): Queue {
  return {
    get waiting() {
      return queue.waiting
    },
    async run(work, signal) {
      const askedAt = performance.now()
      return await queue.run(() => {
        counter.onQueued(performance.now() - askedAt)
        return work()
      }, signal)
    },
  }
}

function toTimedModel(model: Model, counter: StatisticsCounter): Model {
  return {
    ...model,
    async infer(inputs, outputs, signal, deadlineAt) {
      const startedAt = performance.now()
      const rows = toRows(inputs)
      try {
        const results = await model.infer(inputs, outputs, signal, deadlineAt)
        counter.onSuccess({ rows, tookMs: performance.now() - startedAt, at: Date.now() })
        return results
      } catch (error) {
        counter.onFail(performance.now() - startedAt)
        throw error
      }
    },
  }
}

function toRows(inputs: NamedTensors): number {
  const [first] = inputs.values()
  return first?.shape[0] ?? 1
}
