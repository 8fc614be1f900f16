import type { Project } from '../config/index.ts'
import type { Clock } from '../core/clock.ts'
import { toErrorText } from '../core/errors.ts'
import type { HttpHandler } from '../core/http/http.ts'
import type { HttpServer } from '../core/http/server.node.ts'
import type { Target } from '../deploy/index.ts'
import type { ImageLayout } from '../oci/index.ts'
import type { Store } from '../store/index.ts'
import { MAX_BATCH_BYTES, toApp } from './app.ts'
import { Deployer } from './deployment/deployer.node.ts'
import { findPlaced } from './deployment/deployment.ts'
import { toReadLineage } from './deployment/lineage.node.ts'
import { Feeds } from './feeds.node.ts'
import { Gateways } from './gateways.ts'
import { HealthWatch } from './health/health-watch.node.ts'
import { Herald } from './herald.ts'
import { listen } from './listening.node.ts'
import type { Logger } from './logger.ts'
import { toMetrics } from './metrics.ts'
import { toOperations } from './operations.node.ts'
import { Patience } from './patience.node.ts'
import { ProcessLogs } from './process-logs.ts'
import { toRaceSpec } from './race/rule.ts'
import { RaceWatch } from './race/watch.node.ts'
import { type StewardWorld, steer } from './steward.ts'
import { toScopeOf } from './tokens.ts'
import { toPrivacy } from './truth/privacy.ts'
import { Webhook, type WebhookEnd, type WebhookTarget } from './webhook/webhook.node.ts'

/** What control works with. Target and store stay open when it closes: they belong to the caller. */
export interface ControlOptions {
  readonly project: Project
  readonly target: Target
  readonly store: Store
  readonly layout: ImageLayout
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly adminToken: string
  readonly clock: Clock
  readonly logger: Logger
  /** Told of what somebody should hear of; undefined: nobody. */
  readonly webhook?: WebhookTarget | undefined
  readonly timings?: Partial<ControlTimings>
}

/** How long control waits, ms. */
export interface ControlTimings {
  /** Time between signs of life on streams. @default 10_000 */
  readonly beatMs: number
  /** From new routes to the end of replicas that have left them. @default 2000 */
  readonly leaveMs: number
  /** From new data to the next look at the race. @default 250 */
  readonly raceDelayMs: number
  /** From one look at the races to the next without new data. @default 60_000 */
  readonly raceIdleMs: number
  /** From a change of a process to the next status event. @default 100 */
  readonly statusDelayMs: number
  /** From one look at how replicas perform to the next. @default 10_000 */
  readonly replicaLookMs: number
  /** Time that requests in flight have when control closes. @default 800 */
  readonly drainMs: number
}

const DEFAULT_TIMINGS: ControlTimings = {
  beatMs: 10_000,
  leaveMs: 2000,
  raceDelayMs: 250,
  raceIdleMs: 60_000,
  statusDelayMs: 100,
  replicaLookMs: 10_000,
  drainMs: 800,
}
const MAX_LOG_READERS = 50
/** Records and truths that wait for a database that is away. */
const MAX_WAITING_BYTES = 2 * MAX_BATCH_BYTES

/** A running control. */
export interface Control {
  readonly url: string
  /** Ends every stream, lets commands in flight finish, and stops; may be called again. */
  close(): Promise<void>
}

/**
 * Starts control: it listens, takes up the deployment on record, follows the target's replicas and judges the race,
 * until `close` or the signal. Requests that come before the deployment is taken up wait for it. Everything that
 * matters is in the target's record, the store and the layout: a control that starts on them goes on where the one
 * before it ended.
 *
 * @throws PORT_IN_USE, LISTEN, ROUTES_RECORD, and what the store throws
 */
export async function startControl(options: ControlOptions, signal: AbortSignal): Promise<Control> {
  signal.throwIfAborted()
  const world = toWorld(options)
  const ready = Promise.withResolvers<void>()
  ready.promise.catch(() => {})
  const server = await listen(options, async request => {
    await ready.promise
    return await world.app(request)
  })
  const close = toClose(world, server, options)
  try {
    await world.deployer.restore()
    signal.throwIfAborted()
    world.begin()
    ready.resolve()
  } catch (error) {
    ready.reject(error)
    await close()
    throw error
  }
  const onAbort = (): void =>
    void close().catch(error => options.logger.error({ error: toErrorText(error) }, 'Cannot close control'))
  signal.addEventListener('abort', onAbort, { once: true })
  return { url: server.url, close }
}

interface World extends AsyncDisposable {
  readonly app: HttpHandler
  readonly deployer: Deployer
  /** Begins to follow the target and to judge. */
  begin(): void
}

function toWorld(options: ControlOptions): World {
  const { project, target, store, layout, clock, logger, host, adminToken, webhook: hook } = options
  const timings = { ...DEFAULT_TIMINGS, ...options.timings }
  const closing = new AbortController()
  const feeds = new Feeds()
  const logs = new ProcessLogs(target, MAX_LOG_READERS, closing.signal)
  const gateways = new Gateways()
  const readLineage = toReadLineage(layout)
  const onEnd = (state: WebhookEnd): void => metrics.alerts.inc({ state })
  const webhook = hook && new Webhook({ ...hook, deployment: project.name, clock, logger, onEnd })
  const herald = new Herald({ events: feeds.events, target, webhook, clock })
  const health = new HealthWatch({
    project,
    target,
    store,
    clock,
    logger,
    statusDelayMs: timings.statusDelayMs,
    lookMs: timings.replicaLookMs,
    readDeployment: () => deployer.deployment,
    readRaces: () => races.seen,
    readDroppedRecords: () => gateways.dropped,
    onStatus: status => herald.tellStatus(status),
    onLook: status => herald.tellProcesses(status),
  })
  const races = new RaceWatch({
    store,
    clock,
    logger,
    delayMs: timings.raceDelayMs,
    idleMs: timings.raceIdleMs,
    readParams: async image => (await readLineage(image)).params,
    findPlaced: variant => findPlaced(deployer.deployment, variant),
    toSpec: ramp => toRaceSpec(project, ramp),
    onLook: look => steer(steward, look),
    onRace: race => {
      herald.tellRace(race)
      health.touch()
    },
    onDecision: race => herald.tellDecision(race),
  })
  const deployer = new Deployer({
    project,
    target,
    store,
    layout,
    clock,
    logger,
    leaveMs: timings.leaveMs,
    onRoutes: routes => {
      feeds.publishRoutes(routes)
      health.touch()
    },
    onRace: () => races.turn(),
  })
  const { promote, task, sample } = project.race
  const steward: StewardWorld = {
    deployer,
    store,
    clock,
    logger,
    promote,
    onEvent: event => herald.tellRaceEvent(event),
  }
  const metrics = toMetrics({
    epoch: () => deployer.deployment.epoch,
    gatewayEpoch: () => gateways.oldestEpoch ?? -1,
    droppedRecords: () => gateways.dropped,
    streams: () => ({ ...feeds.clients, logs: logs.readers }),
    slowReaders: () => feeds.events.dropped,
  })
  const operations = toOperations({
    store,
    target,
    deployer,
    layout,
    races,
    health,
    feeds,
    logs,
    readLineage,
    noteGateway: note => {
      if (gateways.note(note)) health.touch()
    },
    patience: new Patience({ clock, maxBytes: MAX_WAITING_BYTES, closing: closing.signal }),
    task,
    privacy: toPrivacy(project.race, adminToken),
    sample,
    metrics,
    clock,
  })
  return {
    app: toApp({ operations, boundHost: host, scopeOf: toScopeOf(adminToken), metrics, logger }),
    deployer,
    begin() {
      health.begin()
      feeds.begin(timings.beatMs)
      races.touch()
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      feeds[Symbol.dispose]()
      await Promise.all([deployer, races, health].map(one => one[Symbol.asyncDispose]()))
      await webhook?.[Symbol.asyncDispose]()
    },
  }
}

function toClose(world: World, server: HttpServer, options: ControlOptions): () => Promise<void> {
  const { drainMs } = { ...DEFAULT_TIMINGS, ...options.timings }
  let closed: Promise<void> | undefined
  return async () => {
    closed ??= (async () => {
      await Promise.all([world[Symbol.asyncDispose](), server.drain(drainMs)])
    })()
    await closed
  }
}
