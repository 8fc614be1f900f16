import type { Clock } from '../core/clock.ts'
import { toErrorText } from '../core/errors.ts'
import { GrpcError } from '../core/grpc/grpc.ts'
import type { TlsOptions } from '../core/tls.node.ts'
import { type AccessOptions, toAccess } from './access.ts'
import { type Admission, toAdmission } from './admission.ts'
import { type Control, openControl } from './control.node.ts'
import type { HandlerWorld } from './handler.node.ts'
import { type Limits, withDefaultLimits } from './limits.ts'
import type { Logger } from './logger.ts'
import { toMetrics } from './metrics.ts'
import { STOPPING } from './own.node.ts'
import { openPorts, type Ports } from './ports.node.ts'
import { Recorder } from './records/records.node.ts'
import { Spool } from './records/spool.node.ts'
import { findReplicas } from './routes/headless.node.ts'
import { LiveRoutes } from './routes/live-routes.node.ts'
import { openRouteSource } from './routes/routes-source.node.ts'
import { ShadowCopier } from './shadow.node.ts'

/** How a gateway listens, routes and reports. */
export interface GatewayOptions {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly grpcPort: number
  /** Both ports speak TLS alone. @default neither does */
  readonly tls?: TlsOptions | undefined
  /** Base URL of control, and the bearer of scope `gateway` for it. */
  readonly controlUrl: string
  readonly token: string
  /** The target's record of the routes; read once, at the start. It may be missing. */
  readonly routesFile: string
  /** Takes records while control is away; made where it is missing. */
  readonly spoolFile: string
  /** Name under which a variant's replicas are found while control is away. @default they are not looked for */
  readonly replicaHost?: string | undefined
  /** Time in which clients are asked to close their connections before it stops, ms. @default 0 */
  readonly leaveMs?: number
  /** Names this process among all gateways of the deployment. */
  readonly name: string
  readonly logger: Logger
  /** @default open to whoever reaches the port, and to no web page of another origin */
  readonly access?: AccessOptions
  readonly limits?: Partial<Limits>
  /** @default Date.now */
  readonly clock?: Clock
  /** Draws a number within [0, 1). @default Math.random */
  readonly random?: () => number
}

/** A gateway that listens; `url` and `port` are those of HTTP. */
export interface Gateway {
  readonly url: string
  readonly port: number
  readonly grpcPort: number
  /** Resolves when it has stopped: requests answered, records handed over or in the spool. */
  readonly closed: Promise<void>
}

/**
 * Starts a gateway; it listens when this returns and stops gently with the signal.
 * @throws PORT_IN_USE, LISTEN, TLS, SPOOL, LIMITS
 */
export async function startGateway(options: GatewayOptions, signal: AbortSignal): Promise<Gateway> {
  const limits = withDefaultLimits(options.limits)
  const parts = await openParts(options, limits)
  const ports = await openPorts(options, limits, parts).catch(async (error: unknown) => {
    await close(parts)
    throw error
  })
  const following = follow(options, limits, parts, signal)
  const closed = new Promise<void>(resolve => {
    const stop = (): void => resolve(drain(limits, parts, ports, following, options.leaveMs))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  return { url: ports.http.url, port: ports.http.port, grpcPort: ports.grpc.port, closed }
}

interface Parts extends HandlerWorld {
  readonly recorder: Recorder
  readonly spool: Spool
  readonly control: Control
  readonly admission: Admission
  stop(): void
}

async function openParts(options: GatewayOptions, limits: Limits): Promise<Parts> {
  const { logger, name, clock = Date.now, random = Math.random, controlUrl, token } = options
  const spool = await Spool.open(options.spoolFile, limits.maxSpoolBytes)
  const metrics = toMetrics({
    outstanding: () => routes.replicas.map(replica => [replica.name, replica.outstanding] as const),
    epoch: () => routes.table?.epoch ?? -1,
  })
  const onEjected = (replica: string): void => {
    metrics.ejections.inc({ replica })
    logger.warn({ replica }, 'A replica is put out: it does not answer')
  }
  const routes: LiveRoutes = new LiveRoutes({ clock, limits, onEjected }, logger)
  const control = openControl({ url: controlUrl, token, limits })
  const recorder = new Recorder({ gateway: name, control, spool, limits, metrics, logger })
  const admission = toAdmission(limits)
  const base = { routes, limits, metrics, clock, random, sink: recorder, isLoaded: admission.isLoaded }
  const shadows = new ShadowCopier(base)
  const access = toAccess(options.access ?? { tokens: [], origins: [] })
  const stop = new AbortController()
  return {
    ...base,
    ...{ access, admission, shadows, control, recorder, spool, stopping: stop.signal },
    stop: () => stop.abort(new GrpcError('UNAVAILABLE', STOPPING)),
  }
}

/** Never rejects. */
async function follow(options: GatewayOptions, limits: Limits, parts: Parts, signal: AbortSignal): Promise<void> {
  const { logger, replicaHost, routesFile: file } = options
  const source = openRouteSource({
    ...{ file, control: parts.control, limits, logger },
    findReplicas: replicaHost === undefined ? undefined : routes => findReplicas(routes, replicaHost),
  })
  for await (const routes of source.watch(signal)) {
    try {
      parts.routes.swap(routes)
      parts.recorder.announce(routes.epoch)
      const { epoch, variants } = routes
      const shown = variants.map(({ name, role, replicas }) => `${role} ${name}: ${replicas.length}`)
      logger.info({ epoch, variants: shown }, 'Routes')
    } catch (error) {
      logger.error({ error: toErrorText(error) }, 'Cannot use these routes: the last ones stay in force')
    }
  }
}

/** Requests first, then the copies they caused, then the records of both. Never rejects. */
async function drain(limits: Limits, parts: Parts, ports: Ports, following: Promise<void>, leaveMs = 0): Promise<void> {
  parts.stop()
  await Promise.all([ports.http.drain(limits.drainMs, leaveMs), ports.grpc.drain(limits.drainMs)])
  await parts.shadows.settle(limits.flushMs / 2)
  await parts.recorder.drain(limits.flushMs / 2)
  await following
  await close(parts)
}

async function close({ recorder, routes, control, spool }: Parts): Promise<void> {
  await recorder[Symbol.asyncDispose]()
  await spool[Symbol.asyncDispose]()
  await routes.destroy()
  await control.close()
}
