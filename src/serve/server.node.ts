import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from '../core/errors.ts'
import { toAccess } from './access.ts'
import { toAdmission } from './admission.ts'
import type { ModelConfig } from './catalog.ts'
import { followModelConfigs, readModelConfigs } from './config-file.node.ts'
import { Refusal } from './errors.ts'
import { LiveCatalog } from './live-catalog.ts'
import { toMetrics } from './metrics.ts'
import { isReady, type Service } from './model.ts'
import { openVersion } from './open-version.node.ts'
import { type Listening, type ModelConfigFile, type ServerOptions, toLimits, toLoadLimits } from './options.ts'
import { openPorts } from './ports.node.ts'
import type { Queue } from './queue.ts'
import { findModelFiles } from './repository.node.ts'

/** A model server that takes predictions. */
export interface Server extends Listening {
  /** Resolves when it has stopped, and rejects where it stopped by itself (ENGINE_LOST). */
  readonly closed: Promise<void>
}

/**
 * Serves models. Resolves when all versions that are first wanted are loaded and warmed, or have failed for good and
 * others serve; from the signal on, it says that it is not ready, finishes the requests in flight for up to `drainMs`,
 * and closes.
 * @throws LIMITS, MODEL_CONFIG, PORT_IN_USE, LISTEN, TLS, TLS_CLIENT_CA; MODEL_MISSING, MODEL_LOAD, MODEL_SIGNATURE, MODEL_WARM_UP where
 * there is nothing to serve
 */
export async function startServer(options: ServerOptions, signal: AbortSignal): Promise<Server> {
  const limits = toLimits(options)
  const { logger } = options
  const lost = Promise.withResolvers<never>()
  const queues = new Set<Queue>()
  const catalog = new LiveCatalog({
    find: findModelFiles,
    open: (name, file, isQuiet) => openVersion({ limits, metrics, logger, queues }, name, file, isQuiet),
    sleep: (ms, until) => sleep(ms, undefined, { signal: until }),
    logger,
    onLost: lost.reject,
    limits: toLoadLimits(options),
  })
  let isDraining = false
  const service: Service = {
    catalog,
    get isDraining() {
      return isDraining
    },
    allowsModelControl: options.allowModelControl ?? false,
    tfsMetricsPath: options.tfsMetricsPath ?? '/monitoring/prometheus/metrics',
    async printMetrics() {
      return { text: await metrics.registry.metrics(), contentType: metrics.registry.contentType }
    },
  }
  const metrics = toMetrics({
    waiting: () => [...queues].reduce((sum, queue) => sum + queue.waiting, 0),
    inFlight: () => admission.inFlight,
    isReady: () => isReady(service),
  })
  const admission = toAdmission(service, limits)
  const source = await readSource(options.models)
  const begin = await prepare(catalog, source.configs)
  const ports = await openPorts({ service, metrics, admission, access: toAccess(options.token) }, options, limits)
  const stop = async (): Promise<void> => {
    isDraining = true
    logger?.info('stopping')
    await ports.drain(limits.drainMs)
    await catalog[Symbol.asyncDispose]()
  }
  try {
    await Promise.race([begin(), lost.promise, untilAborted(signal)])
    if (!signal.aborted) logger?.info({ models: catalog.names }, 'ready')
  } catch (error) {
    await ports[Symbol.asyncDispose]()
    await catalog[Symbol.asyncDispose]()
    throw error
  }
  if (source.file !== undefined && source.file.pollMs > 0)
    // It tells what goes wrong in the log.
    void followModelConfigs(source.file, source.text, catalog, logger, signal)
  const closed = Promise.race([untilAborted(signal), lost.promise]).finally(stop)
  return { ...ports.listening, closed }
}

/** What to serve first, and the file that says so, where there is one. */
async function readSource(models: ServerOptions['models']): Promise<{
  readonly configs: readonly ModelConfig[]
  readonly text: string
  readonly file: ModelConfigFile | undefined
}> {
  if (!('path' in models)) return { configs: models, text: '', file: undefined }
  return { ...(await readModelConfigs(models.path)), file: models }
}

async function prepare(catalog: LiveCatalog, configs: readonly ModelConfig[]): Promise<() => Promise<void>> {
  try {
    return await catalog.prepare(configs)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new UsageError('MODEL_CONFIG', error.message, { cause: error })
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
