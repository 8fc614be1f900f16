import { toErrorText } from '../core/errors.ts'
import { type HttpServer, listenHttp } from '../core/http.node.ts'
import { type HttpHandler, toJsonResponse } from '../core/http.ts'
import { toAdmission } from './admission.ts'
import type { Engine } from './engine.ts'
import { toHandler, toProtocol } from './handler.ts'
import { toServedModel } from './inference.node.ts'
import { type ServerMetrics, toMetrics } from './metrics.ts'
import { isReady, type Service, type ServiceState } from './model.ts'
import { type Limits, type ServerOptions, toLimits } from './options.ts'
import { placeEngine } from './placement.node.ts'
import { type Queue, toQueue } from './queue.ts'
import { findModelFile } from './repository.node.ts'

/** A model server that takes predictions. */
export interface Server {
  readonly url: string
  readonly port: number
  /** Resolves when it has stopped, and rejects where it stopped by itself (ENGINE_LOST). */
  readonly closed: Promise<void>
}

/**
 * Serves the highest version below a model's base path. Resolves when the model is loaded and warmed; from the
 * signal on, it says that it is not ready, finishes the requests in flight for up to `drainMs`, and closes.
 * @throws MODEL_NAME, LIMITS, MODEL_MISSING, MODEL_LOAD, MODEL_SIGNATURE, MODEL_WARM_UP, PORT_IN_USE, LISTEN
 */
export async function startServer(options: ServerOptions, signal: AbortSignal): Promise<Server> {
  const limits = toLimits(options)
  const file = await findModelFile(options.modelBasePath)
  const front = await openFront(options, limits, file.version)
  try {
    const { path, sizeBytes } = file
    const { engine, ...placed } = await placeEngine({ path, intraOpThreads: limits.intraOpThreads }, sizeBytes)
    options.logger?.info({ ...placed, path }, placed.reason === undefined ? 'loaded' : 'loaded, but not warmed')
    front.begin(engine)
    return { url: front.http.url, port: front.http.port, closed: untilStopped(front, engine, signal, limits.drainMs) }
  } catch (error) {
    await front.http[Symbol.asyncDispose]()
    throw error
  }
}

async function untilStopped(front: Front, engine: Engine, signal: AbortSignal, drainMs: number): Promise<void> {
  const asked = Promise.withResolvers<void>()
  const ask = (): void => asked.resolve()
  if (signal.aborted) ask()
  else signal.addEventListener('abort', ask, { once: true })
  try {
    await Promise.race([asked.promise, engine.lost])
  } finally {
    signal.removeEventListener('abort', ask)
    front.end()
    await front.http.drain(drainMs)
    await engine[Symbol.asyncDispose]()
  }
}

/** The HTTP side of a server, which answers from before the model is loaded until after the last prediction. */
interface Front {
  readonly http: HttpServer
  /** Takes predictions from now on. */
  begin(engine: Engine): void
  /** Refuses new predictions from now on. */
  end(): void
}

async function openFront(options: ServerOptions, limits: Limits, version: number): Promise<Front> {
  let state: ServiceState = { kind: 'starting' }
  let queue: Queue | undefined
  const { modelName, logger } = options
  const service: Service = {
    modelName,
    version,
    get state() {
      return state
    },
    async printMetrics() {
      return { text: await metrics.registry.metrics(), contentType: metrics.registry.contentType }
    },
  }
  const admission = toAdmission(service, limits)
  const metrics = toMetrics(
    { name: modelName, version },
    {
      waiting: () => queue?.waiting ?? 0,
      inFlight: () => admission.inFlight,
      isReady: () => isReady(service),
    },
  )
  const count = (path: string, status: number): void => {
    metrics.requests.inc({ protocol: toProtocol(path), status: String(status) })
  }
  const http = await listenHttp(toTimedHandler(service, metrics, count), {
    host: options.host ?? '127.0.0.1',
    port: options.httpPort,
    maxBodyBytes: limits.maxBodyBytes,
    requestTimeoutMs: limits.requestTimeoutMs,
    admit(head) {
      const admitted = admission.admit(head)
      if (typeof admitted === 'object') count(head.path, admitted.status)
      return admitted
    },
    toError(status, error) {
      count('', status)
      return toJsonResponse(status, { error })
    },
    onError: error => logger?.error({ error: toErrorText(error) }, 'a request failed'),
  })
  options.onListening?.({ url: http.url, port: http.port })
  logger?.info({ url: http.url, model: modelName, version }, 'listening')
  return {
    http,
    begin(engine) {
      queue = toQueue({ parallel: engine.parallelRuns, maxWaiting: limits.maxWaiting })
      state = { kind: 'ready', model: toServedModel(engine, queue, metrics) }
      logger?.info({ model: modelName, version }, 'ready')
    },
    end() {
      state = { kind: 'draining', model: state.kind === 'starting' ? undefined : state.model }
      logger?.info('stopping')
    },
  }
}

/** Counts and times answers; while the server stops, it also asks clients to connect anew, which is elsewhere. */
function toTimedHandler(
  service: Service,
  metrics: ServerMetrics,
  count: (path: string, status: number) => void,
): HttpHandler {
  const handler = toHandler(service)
  return async request => {
    const startedAt = performance.now()
    const response = await handler(request)
    metrics.seconds.observe({ protocol: toProtocol(request.path) }, (performance.now() - startedAt) / 1000)
    count(request.path, response.status)
    if (service.state.kind !== 'draining') return response
    return { ...response, headers: { ...response.headers, connection: 'close' } }
  }
}
