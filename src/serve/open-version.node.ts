import type { NamedTensors } from '../tensor/index.ts'
import { toVersionCounters, type VersionCounters } from './counters.ts'
import type { Engine } from './engine.ts'
import { toServedModel } from './inference.node.ts'
import type { ModelFile, OpenedVersion } from './loading.ts'
import { type ServerMetrics, toVersionMetrics } from './metrics.ts'
import type { Model } from './model.ts'
import type { Limits, Logger } from './options.ts'
import { placeEngine } from './placement.node.ts'
import { type Queue, toQueue } from './queue.ts'
import { checkModelFile } from './repository.node.ts'

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
  const counters = toVersionCounters()
  const versionMetrics = toVersionMetrics(metrics, name, version)
  const queue = toQueue({ parallel: engine.parallelRuns, maxWaiting: limits.maxWaiting })
  queues.add(queue)
  const model = toServedModel(toTimedEngine(engine, counters), toTimedQueue(queue, counters), versionMetrics)
  return {
    model: toTimedModel(model, counters),
    about: { producer: '', description: '', properties: new Map() },
    counters,
    lost: engine.lost,
    async [Symbol.asyncDispose]() {
      queues.delete(queue)
      versionMetrics.remove()
      await engine[Symbol.asyncDispose]()
    },
  }
}

function toTimedEngine(engine: Engine, counters: VersionCounters): Engine {
  return {
    ...engine,
    async run(inputs, outputs) {
      const startedAt = performance.now()
      const results = await engine.run(inputs, outputs)
      counters.ran(toNs(startedAt))
      return results
    },
  }
}

function toTimedQueue(queue: Queue, counters: VersionCounters): Queue {
  return {
    get waiting() {
      return queue.waiting
    },
    async run(work, signal) {
      const askedAt = performance.now()
      return await queue.run(() => {
        counters.waited(toNs(askedAt))
        return work()
      }, signal)
    },
  }
}

function toTimedModel(model: Model, counters: VersionCounters): Model {
  return {
    ...model,
    async infer(inputs, outputs, signal) {
      const startedAt = performance.now()
      const rows = toRows(inputs)
      try {
        const results = await model.infer(inputs, outputs, signal)
        counters.answered({ rows, ns: toNs(startedAt), at: Date.now() })
        return results
      } catch (error) {
        counters.failed(toNs(startedAt))
        throw error
      }
    },
  }
}

function toRows(inputs: NamedTensors): number {
  const [first] = inputs.values()
  return first?.shape[0] ?? 1
}

function toNs(startedAt: number): number {
  return (performance.now() - startedAt) * 1e6
}
