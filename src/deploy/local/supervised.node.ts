import { setTimeout as sleep } from 'node:timers/promises'
import type { Health, ProcessState } from '../target.ts'
import { Life, type LifeEnd, type Ports, type ProcessSpec, type ProcessWorld } from './life.node.ts'
import { toRestartMs } from './timings.ts'

/** A process that is started again whenever it ends, until it is stopped. */
export class SupervisedProcess {
  readonly #spec: ProcessSpec
  readonly #world: ProcessWorld
  readonly #onChange: () => void
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>
  #preStopMs = 0
  #ports: Ports | undefined
  #isListening = false
  #state: ProcessState

  /** Starts at once; `onChange` is called after every change of `state` and the URLs. */
  constructor(spec: ProcessSpec, world: ProcessWorld, onChange: () => void) {
    this.#spec = spec
    this.#world = world
    this.#onChange = onChange
    const health = { state: 'starting', since: world.clock() } as const
    this.#state = { name: spec.name, health, pid: undefined, restarts: 0 }
    this.#ended = this.#run()
  }

  get state(): ProcessState {
    return this.#state
  }

  /** Base URL of its HTTP port while it listens. */
  get url(): string | undefined {
    return this.#toUrl(this.#ports?.http)
  }

  /** The same of its gRPC port, where it has one. */
  get grpcUrl(): string | undefined {
    return this.#toUrl(this.#ports?.grpc)
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted
  }

  /** Drains the process, `preStopMs` after announcing that it stops, and resolves when it has ended. */
  async stop(preStopMs: number): Promise<void> {
    if (!this.isStopping) {
      this.#preStopMs = preStopMs
      this.#stopping.abort()
      this.#update({ health: { state: 'stopping', since: this.#world.clock() } })
    }
    await this.#ended
  }

  async #run(): Promise<void> {
    // The constructor ends before anything happens, so that `onChange` finds the object whole.
    await Promise.resolve()
    const signal = this.#stopping.signal
    for (let failures = 0; !signal.aborted; ) {
      const end = await this.#live()
      this.#isListening = false
      if (signal.aborted) break
      failures = this.#wasStable(end) ? 1 : failures + 1
      const waitMs = toRestartMs({ failures, wasReady: end.readyAt !== undefined }, this.#world.timings)
      this.#fail(end, waitMs)
      await sleep(waitMs, undefined, { signal }).catch(() => {})
      // Its health stays what it is until it is ready again: the reason is then still what a reader wants to know.
      if (!signal.aborted) this.#update({ restarts: this.#state.restarts + 1 })
    }
    this.#update({ pid: undefined })
    this.#world.onEvent({ kind: 'stopped', process: this.#spec.name })
  }

  async #live(): Promise<LifeEnd> {
    const life = new Life(this.#spec, this.#world, {
      onPid: pid => this.#update({ pid }),
      onPorts: ports => {
        this.#ports = ports
        this.#isListening = true
        this.#onChange()
      },
      onHealth: health => {
        if (!this.isStopping && !isSame(health, this.#state.health)) this.#update({ health })
      },
    })
    return await life.run(this.#ports, this.#stopping.signal, () => this.#preStopMs)
  }

  #toUrl(port: number | undefined): string | undefined {
    const { host, scheme } = this.#spec
    return this.#isListening && port !== undefined ? `${scheme}://${host}:${port}` : undefined
  }

  #wasStable(end: LifeEnd): boolean {
    return end.readyAt !== undefined && this.#world.clock() - end.readyAt >= this.#world.timings.stableMs
  }

  #fail({ failure }: LifeEnd, waitMs: number): void {
    const { code, reason } = failure
    const now = this.#world.clock()
    this.#update({ pid: undefined, health: { state: 'failing', since: now, code, reason, retryAt: now + waitMs } })
    this.#world.onEvent({ kind: 'failed', process: this.#spec.name, code, reason })
  }

  #update(change: Partial<ProcessState>): void {
    this.#state = { ...this.#state, ...change }
    this.#onChange()
  }
}

/** Whether one health only repeats another; `since` is then the earlier one's. */
function isSame(a: Health, b: Health): boolean {
  return a.state === b.state && (a.state !== 'failing' || b.state !== 'failing' || a.code === b.code)
}
