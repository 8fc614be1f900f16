import { RegattaError } from '../../core/errors.ts'
import type { Routes } from '../../core/wire/routes.ts'
import type { DeploymentPlan, Health, Notice, ReplicaState, Target, TargetState } from '../../deploy/index.ts'

/** What outlives a target's process: its record of the routes. */
export interface TargetRecord {
  routes: Routes | undefined
}

const SINCE = Date.UTC(2026, 0, 1)

/** A target whose processes are entries in a map: what a plan asks for runs, and is ready when the test says so. */
export class MapTarget implements Target {
  readonly kind = 'local'
  /** Everything that was asked of it, in order: `routes EPOCH`, `run IDS`, `delete`. */
  readonly calls: string[] = []
  /** What it was told of what happened. */
  readonly told: Notice[] = []
  readonly logs = new Map<string, string[]>([['gateway', ['listening']]])
  /** Whether replicas are ready as soon as they start. */
  autoReady = true
  /** Thrown by the next `apply`. */
  refuse: RegattaError | undefined
  readonly #record: TargetRecord
  readonly #listeners = new Set<(state: TargetState) => void>()
  readonly #waiting = new Set<() => void>()
  #replicas: readonly ReplicaState[] = []

  constructor(record: TargetRecord = { routes: undefined }) {
    this.#record = record
  }

  async readRoutes(): Promise<Routes | undefined> {
    return this.#record.routes
  }

  async writeRoutes(routes: Routes): Promise<void> {
    this.calls.push(`routes ${routes.epoch}`)
    this.#record.routes = routes
  }

  async apply(plan: DeploymentPlan): Promise<void> {
    const refused = this.refuse
    this.refuse = undefined
    if (refused !== undefined) throw refused
    this.calls.push(`run ${plan.variants.map(({ id }) => id).join(',')}`)
    const wanted = plan.variants.flatMap(({ id, name, replicas }) =>
      Array.from({ length: replicas }, (_, index) => this.#toReplica(id, `${name}-${id}${index}`)),
    )
    const running = new Map(this.#replicas.map(replica => [replica.name, replica]))
    this.#set(wanted.map(replica => running.get(replica.name) ?? replica))
  }

  tell(notice: Notice): void {
    this.told.push(notice)
  }

  state(): TargetState {
    return {
      gateway: { name: 'gateway', health: { state: 'ready', since: SINCE }, pid: 1, restarts: 0 },
      gatewayUrl: 'http://127.0.0.1:8501',
      gatewayGrpcUrl: 'http://127.0.0.1:8500',
      replicas: this.#replicas,
    }
  }

  observe(listener: (state: TargetState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async *readLog(
    process: string,
    options: { readonly lines: number; readonly follow: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<string> {
    const lines = this.logs.get(process)
    if (lines === undefined) throw new RegattaError('LOG_NONE', `Cannot read the log of "${process}"`)
    let next = Math.max(0, lines.length - options.lines)
    for (;;) {
      for (; next < lines.length; next++) yield lines[next] ?? ''
      if (!options.follow || signal.aborted) return
      await new Promise<void>(resolve => {
        this.#waiting.add(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }

  async delete(): Promise<void> {
    this.calls.push('delete')
    this.#record.routes = undefined
    this.#set([])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#set([])
  }

  /** Puts every replica of a variant into a state. */
  setHealth(variant: number, health: Health): void {
    this.#set(this.#replicas.map(replica => (replica.variant === variant ? { ...replica, health } : replica)))
  }

  /** Adds a line to a log. */
  print(process: string, line: string): void {
    this.logs.get(process)?.push(line)
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  #toReplica(variant: number, name: string): ReplicaState {
    const health = { state: this.autoReady ? 'ready' : 'starting', since: SINCE } as const
    return {
      name,
      variant,
      health,
      pid: 100 + variant,
      restarts: 0,
      url: `http://127.0.0.1:9${variant}00`,
      grpcUrl: undefined,
    }
  }

  #set(replicas: readonly ReplicaState[]): void {
    this.#replicas = replicas
    for (const listener of this.#listeners) listener(this.state())
  }
}
