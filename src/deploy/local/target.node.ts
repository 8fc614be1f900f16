import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { RegattaError, toErrorText } from '../../core/errors.ts'
import type { FileLock } from '../../core/lock.node.ts'
import type { Routes } from '../../core/wire/routes.ts'
import type { DeploymentPlan, ProcessState, Target, TargetState, VariantPlan } from '../target.ts'
import { REPLICA_HOST, toGatewayCommand, toLocalHost, toServerCommand } from './commands.ts'
import { checkPlan, type RunningReplica, toChanges } from './converge.ts'
import { toChildEnvironment } from './environment.ts'
import { lockFolder, stopLeftovers, toSupervisorMark } from './leftovers.node.ts'
import type { ProcessSpec } from './life.node.ts'
import { Logs } from './logs.node.ts'
import { extractModel, pruneModels } from './models.node.ts'
import { type LocalTargetOptions, withDefaults } from './options.node.ts'
import { readRoutesRecord, toRoutesPath, writeRoutesRecord } from './routes-record.node.ts'
import { SupervisedProcess } from './supervised.node.ts'
import { openTurns } from './turns.ts'

/**
 * Opens the local target: a supervisor of child processes on this machine, the only one of its folder. What an
 * earlier supervisor that crashed left running is stopped first; the gateway starts at once where routes are on record.
 * @throws TARGET_LOCKED where another process supervises the folder, LEFTOVER, ROUTES_RECORD, TARGET_OPTIONS
 */
export async function openLocalTarget(options: LocalTargetOptions): Promise<Target> {
  const filled = withDefaults(options)
  const { folder, onEvent, timings } = filled
  await using opening = new AsyncDisposableStack()
  const lock = opening.use(await lockFolder(folder))
  await stopLeftovers(folder, { drainMs: timings.drainMs, onEvent })
  const routes = await readRoutesRecord(folder)
  const target = new LocalTarget(filled, lock)
  if (routes !== undefined) target.startGateway()
  opening.move()
  return target
}

interface Replica {
  readonly process: SupervisedProcess
  readonly variant: VariantPlan
}

const NO_PROCESS = { pid: undefined, restarts: 0 }

class LocalTarget implements Target {
  readonly kind = 'local'
  readonly #options: ReturnType<typeof withDefaults>
  readonly #lock: FileLock
  readonly #mark: string
  readonly #logs: Logs
  readonly #turn = openTurns()
  readonly #closing = new AbortController()
  readonly #replicas = new Map<string, Replica>()
  readonly #listeners = new Set<(state: TargetState) => void>()
  readonly #openedAt: number
  #planned: readonly VariantPlan[] = []
  #gateway: SupervisedProcess | undefined
  #state: TargetState

  constructor(options: ReturnType<typeof withDefaults>, lock: FileLock) {
    this.#options = options
    this.#lock = lock
    this.#mark = toSupervisorMark(options.folder)
    this.#openedAt = options.clock()
    this.#logs = new Logs(join(options.folder, 'logs'), options.logs, options.timings.logCheckMs, (process, reason) =>
      options.onEvent({ kind: 'upkeep-failed', subject: `log of ${process}`, reason }),
    )
    this.#state = this.#toState()
  }

  async readRoutes(): Promise<Routes | undefined> {
    return await readRoutesRecord(this.#options.folder)
  }

  async writeRoutes(routes: Routes): Promise<void> {
    await this.#turn(async () => await writeRoutesRecord(this.#options.folder, routes))
  }

  async apply(plan: DeploymentPlan, signal: AbortSignal): Promise<void> {
    const { layout, folder, deployment } = this.#options
    const both = AbortSignal.any([signal, this.#closing.signal])
    await this.#turn(async () => {
      both.throwIfAborted()
      checkPlan(plan, deployment, this.#listRunning())
      const basePaths = new Map<number, string>()
      for (const variant of plan.variants) basePaths.set(variant.id, await extractModel(layout, folder, variant, both))
      both.throwIfAborted()
      this.startGateway()
      const changes = toChanges(plan, this.#listRunning(), new Set(this.#replicas.keys()))
      for (const { name, variant } of changes.start) this.#startReplica(name, variant, basePaths.get(variant.id) ?? '')
      for (const name of changes.stop) void this.#stopReplica(name, this.#options.timings.preStopMs)
      this.#planned = plan.variants
      this.#announce()
      await this.#prune()
    })
  }

  state(): TargetState {
    return this.#state
  }

  observe(listener: (state: TargetState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async *readLog(
    process: string,
    options: { readonly lines: number; readonly follow: boolean },
    signal: AbortSignal,
  ): AsyncIterable<string> {
    const log = this.#logs.find(process)
    if (!options.follow) return yield* await log.readLastLines(options.lines)
    const both = AbortSignal.any([signal, this.#closing.signal])
    yield* log.follow(options.lines, this.#options.timings.followMs, both)
  }

  async delete(signal: AbortSignal): Promise<void> {
    await this.#turn(async () => {
      signal.throwIfAborted()
      await this.#stopAll()
      this.#planned = []
      const { folder } = this.#options
      await this.#logs.clear()
      for (const name of ['routes.json', 'spool.ndjson', 'models', 'processes'])
        await rm(join(folder, name), { recursive: true, force: true })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return await this.#turn(async () => {})
    this.#closing.abort(
      new RegattaError('TARGET_CLOSED', 'Cannot change what runs: the supervisor of the local target is stopping'),
    )
    await this.#turn(async () => {
      await this.#stopAll()
      await this.#logs[Symbol.asyncDispose]()
      await this.#lock[Symbol.asyncDispose]()
    })
  }

  /** Starts the gateway where it does not run. */
  startGateway(): void {
    if (this.#gateway !== undefined) return
    const { commands, gateway, folder } = this.#options
    const { host, httpPort, grpcPort, controlUrl, token, predictToken, tls, origins } = gateway
    this.#gateway = this.#supervise({
      name: 'gateway',
      kind: 'gateway',
      host: toLocalHost(host),
      scheme: tls === undefined ? 'http' : 'https',
      environment: toChildEnvironment(this.#options.environment, this.#mark, {
        REGATTA_TOKEN: token,
        ...(predictToken !== undefined && { REGATTA_PREDICT_TOKENS: predictToken }),
      }),
      toCommand: ports =>
        toGatewayCommand(commands.gateway, {
          host,
          ports: { http: httpPort, grpc: grpcPort, ...ports },
          controlUrl,
          routesPath: toRoutesPath(folder),
          spoolPath: join(folder, 'spool.ndjson'),
          tls,
          origins,
        }),
    })
  }

  #startReplica(name: string, variant: VariantPlan, basePath: string): void {
    const { commands, deployment, environment } = this.#options
    const process = this.#supervise({
      name,
      kind: 'replica',
      host: REPLICA_HOST,
      scheme: 'http',
      environment: toChildEnvironment(environment, this.#mark, {}),
      toCommand: () => toServerCommand(commands.server, { name: deployment, basePath }),
    })
    this.#replicas.set(name, { process, variant })
  }

  #supervise(spec: ProcessSpec): SupervisedProcess {
    const { folder, timings, clock, onEvent } = this.#options
    const world = { folder, log: this.#logs.open(spec.name), timings, clock, onEvent }
    return new SupervisedProcess(spec, world, () => this.#announce())
  }

  /** Never rejects. */
  async #stopReplica(name: string, preStopMs: number): Promise<void> {
    const replica = this.#replicas.get(name)
    await replica?.process.stop(preStopMs)
    if (!this.#replicas.delete(name)) return
    this.#announce()
    // `#prune` never rejects.
    void this.#turn(async () => await this.#prune())
  }

  /** The gateway goes first, so that every request it has taken still finds its replica. */
  async #stopAll(): Promise<void> {
    await this.#gateway?.stop(0)
    this.#gateway = undefined
    await Promise.all([...this.#replicas.keys()].map(name => this.#stopReplica(name, 0)))
    this.#announce()
  }

  /** Removes models that neither the plan nor a process uses. Never rejects. */
  async #prune(): Promise<void> {
    if (this.#closing.signal.aborted) return
    const used = [...this.#planned, ...[...this.#replicas.values()].map(replica => replica.variant)]
    try {
      await pruneModels(
        this.#options.folder,
        used.map(variant => variant.digest),
      )
    } catch (error) {
      this.#options.onEvent({ kind: 'upkeep-failed', subject: 'models', reason: toErrorText(error) })
    }
  }

  #listRunning(): readonly RunningReplica[] {
    return [...this.#replicas]
      .filter(([, { process }]) => !process.isStopping)
      .map(([name, { variant }]) => ({ name, variant }))
  }

  #announce(): void {
    this.#state = this.#toState()
    for (const listener of this.#listeners) {
      try {
        listener(this.#state)
      } catch (error) {
        // Processes are supervised and stopped whatever a listener does.
        this.#options.onEvent({ kind: 'upkeep-failed', subject: 'a listener', reason: toErrorText(error) })
      }
    }
  }

  #toState(): TargetState {
    const starting = { state: 'starting', since: this.#openedAt } as const
    const idle: ProcessState = { name: 'gateway', health: starting, ...NO_PROCESS }
    return {
      gateway: this.#gateway?.state ?? idle,
      gatewayUrl: this.#gateway?.url,
      gatewayGrpcUrl: this.#gateway?.grpcUrl,
      replicas: [...this.#replicas.values()].map(({ process, variant }) => ({
        ...process.state,
        variant: variant.id,
        url: process.url,
        grpcUrl: process.grpcUrl,
      })),
    }
  }
}
