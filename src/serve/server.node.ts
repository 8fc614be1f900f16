import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from '../core/errors.ts'
import { GrpcError } from '../core/grpc/grpc.ts'
import type { ModelConfig } from './catalog/catalog.ts'
import { followModelConfigs, readModelConfigs } from './catalog/config-file.node.ts'
import { LiveCatalog } from './catalog/live-catalog.ts'
import { openVersion } from './catalog/open-version.node.ts'
import { findModelFiles } from './catalog/repository.node.ts'
import { Refusal } from './errors.ts'
import { toAccess } from './front/access.ts'
import { toAdmission } from './front/admission.ts'
import type { FrontParts } from './front/front.node.ts'
import { STOPPING } from './front/health.ts'
import { openPorts } from './front/ports.node.ts'
import { isReady, type Service } from './model.ts'
import {
  type Limits,
  type Listening,
  type ModelConfigFile,
  type ServerOptions,
  toLimits,
  toLoadLimits,
} from './options.ts'
import { toTraceFamilies } from './telemetry/counted.ts'
import { watchMemory } from './telemetry/memory-watch.node.ts'
import { toMetrics } from './telemetry/metrics.ts'
import { openProcessMetrics } from './telemetry/process.node.ts'
import { toTracer } from './telemetry/tracing.ts'

/** A model server that takes predictions. */
export interface Server extends Listening {
  /** Resolves when it has stopped, and rejects where it stopped by itself (ENGINE_LOST). */
  readonly closed: Promise<void>
}

/**
 * Serves models. Resolves when all versions that are first wanted are loaded and warmed, or have failed for good and
 * others serve; from the signal on, it says that it is not ready, finishes the requests in flight for up to `drainMs`,
 * and closes.
 * @throws LIMITS, BATCHING, MODEL_CONFIG, PORT_IN_USE, LISTEN, TLS, TLS_CLIENT_CA; where there is nothing to serve,
 * MODEL_MISSING, MODEL_LOAD, MODEL_SIGNATURE, MODEL_WARM_UP
 */
export async function startServer(options: ServerOptions, signal: AbortSignal): Promise<Server> {
  const limits = toLimits(options, availableParallelism())
  const { logger } = options
  const lost = Promise.withResolvers<never>()
  const source = await readSource(options.models)
  await using opening = new AsyncDisposableStack()
  const parts = opening.use(openParts(options, limits, lost.reject))
  const begin = await prepare(parts.catalog, source.configs)
  const ports = opening.use(await openPorts(parts, options, limits))
  await Promise.race([begin(), lost.promise, untilAborted(signal)])
  if (!signal.aborted) logger?.info({ models: parts.catalog.names }, 'ready')
  if (source.file !== undefined && source.file.pollMs > 0)
    // It tells what goes wrong in the log.
    void followModelConfigs(source.file, source.text, parts.catalog, logger, signal)
  const open = opening.move()
  const closed = Promise.race([untilAborted(signal), lost.promise]).finally(async () => {
    parts.stop()
    logger?.info('stopping')
    await ports.drain(limits.drainMs)
    await open.disposeAsync()
  })
  return { ...ports.listening, closed }
}

/** Everything of a server but its ports. Disposal frees its models. */
interface ServerParts extends FrontParts, AsyncDisposable {
  readonly catalog: LiveCatalog
  /** Refuses new predictions from now on. */
  stop(): void
}

function openParts(options: ServerOptions, limits: Limits, onLost: (error: unknown) => void): ServerParts {
  const { logger, traces } = options
  const processMetrics = openProcessMetrics()
  const memory = watchMemory({ logger })
  const metrics = toMetrics(
    {
      inFlight: () => admission.inFlight,
      isReady: () => isReady(service),
      more: () => [...processMetrics.read(), ...toTraceFamilies(traces)],
    },
    Date.now,
  )
  const catalog = new LiveCatalog({
    find: findModelFiles,
    open: (name, file, isBusy) => openVersion({ limits, metrics, logger }, name, file, isBusy),
    sleep: (ms, until) => sleep(ms, undefined, { signal: until }),
    logger,
    onLost,
    limits: toLoadLimits(options),
  })
  const stop = new AbortController()
  const service: Service = {
    catalog,
    stopping: stop.signal,
    allowsModelControl: options.allowModelControl ?? false,
    metrics,
    tfsMetricsPath: options.tfsMetricsPath ?? '/monitoring/prometheus/metrics',
  }
  const admission = toAdmission(service, limits)
  return {
    catalog,
    service,
    metrics,
    admission,
    tracer: toTracer(traces, { random: randomBytes, originAt: performance.timeOrigin }),
    access: toAccess(options.token),
    stop() {
      stop.abort(new GrpcError('UNAVAILABLE', STOPPING))
    },
    async [Symbol.asyncDispose]() {
      await catalog[Symbol.asyncDispose]()
      processMetrics[Symbol.dispose]()
      memory[Symbol.dispose]()
    },
  }
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
