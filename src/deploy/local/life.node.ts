import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import type { Clock } from '../../core/clock.ts'
import { readProcessId } from '../../core/process.node.ts'
import type { Health } from '../target.ts'
import { type Child, startChild } from './child.node.ts'
import type { Environment } from './environment.ts'
import type { LocalEvent } from './events.ts'
import { type Failure, toExitFailure, toReason } from './failure.ts'
import type { LogPosition, ProcessLog } from './log.node.ts'
import { parseChildMessage } from './message.ts'
import { probeReady } from './probe.node.ts'
import { foldProbe, type ProbeHistory, toFreshHistory, toProbeVerdict } from './probing.ts'
import { type ProcessKind, removeProcessRecord, writeProcessRecord } from './records.node.ts'
import type { Timings } from './timings.ts'

const LAST_LINES = 5
/** A process that has said why it failed has so long to end by itself, ms. */
const LAST_WORDS_MS = 5_000

/** What a supervised process is made of. */
export interface ProcessSpec {
  readonly name: string
  readonly kind: ProcessKind
  /** The whole command line; `ports` are those it had before, if any. */
  readonly toCommand: (ports: Ports | undefined) => readonly string[]
  /** Where it can be reached from this machine. */
  readonly host: string
  readonly scheme: 'http' | 'https'
  readonly environment: Environment
}

/** Where a process listens; `grpc` is absent where it serves HTTP alone. */
export interface Ports {
  readonly http: number
  readonly grpc?: number
}

/** What a supervised process lives in. */
export interface ProcessWorld {
  /** The local target's folder. */
  readonly folder: string
  readonly log: ProcessLog
  readonly timings: Timings
  readonly clock: Clock
  readonly onEvent: (event: LocalEvent) => void
}

/** What becomes known of a process while it lives. */
export interface LifeListener {
  readonly onPid: (pid: number) => void
  readonly onPorts: (ports: Ports) => void
  readonly onHealth: (health: Health) => void
}

/** How a life ended: `failure.reason` has the process's name and last words; `readyAt` is epoch ms. */
export interface LifeEnd {
  readonly failure: Failure
  readonly readyAt: number | undefined
}

/** One life of a supervised process, from its start to its end. */
export class Life {
  readonly #spec: ProcessSpec
  readonly #world: ProcessWorld
  readonly #listener: LifeListener
  readonly #over = new AbortController()
  readonly #saidReady = Promise.withResolvers<'ready'>()
  #history: ProbeHistory
  #port: number | undefined
  #failure: Failure | undefined
  /** Where its log begins. */
  #since: LogPosition | undefined

  constructor(spec: ProcessSpec, world: ProcessWorld, listener: LifeListener) {
    this.#spec = spec
    this.#world = world
    this.#listener = listener
    this.#history = toFreshHistory(world.clock())
  }

  /** Starts the process and resolves when it has ended; `stopping` makes it drain, `toPreStopMs` says how gently. */
  async run(ports: Ports | undefined, stopping: AbortSignal, toPreStopMs: () => number): Promise<LifeEnd> {
    const { log } = this.#world
    try {
      this.#since = await log.readEnd()
      const child = await this.#start(ports)
      const watch = this.#watch(child)
      await this.#waitForEnd(child, stopping, toPreStopMs)
      this.#failure ??= toExitFailure(await child.exit)
      this.#over.abort()
      await watch
      await removeProcessRecord(this.#world.folder, this.#spec.name)
    } catch (error) {
      const problem = error instanceof Error ? error : new Error(String(error))
      this.#failure = toExitFailure({ code: undefined, signal: undefined, problem })
    } finally {
      this.#over.abort()
    }
    const { code } = this.#failure
    return { failure: { code, reason: await this.#toReason(this.#failure) }, readyAt: this.#history.readyAt }
  }

  /** With the last words of this life; a log that cannot be read has none. */
  async #toReason(failure: Failure): Promise<string> {
    const lines = await this.#world.log.readLastLines(LAST_LINES, this.#since).catch(() => [])
    return toReason(this.#spec.name, failure, lines)
  }

  async #start(ports: Ports | undefined): Promise<Child> {
    const { name, kind, toCommand, environment } = this.#spec
    await using output = await this.#world.log.openToAppend()
    let child: Child | undefined
    child = startChild({
      command: toCommand(ports),
      environment,
      output: output.fd,
      onMessage: message => this.#hear(message, child),
    })
    if (child.pid === undefined) return child
    const id = readProcessId(child.pid)
    try {
      if (id !== undefined) await writeProcessRecord(this.#world.folder, name, { ...id, kind })
    } catch (error) {
      child.kill('SIGKILL')
      await child.exit
      throw error
    }
    this.#listener.onPid(child.pid)
    this.#world.onEvent({ kind: 'started', process: name, pid: child.pid })
    return child
  }

  #hear(value: unknown, child: Child | undefined): void {
    const message = parseChildMessage(value)
    switch (message?.kind) {
      case 'listening':
        this.#port = message.port
        this.#listener.onPorts({
          http: message.port,
          ...(message.grpcPort === undefined ? {} : { grpc: message.grpcPort }),
        })
        break
      case 'ready':
        this.#saidReady.resolve('ready')
        break
      case 'failed':
        this.#failure = { code: message.code, reason: `failed: ${message.reason}` }
        // Ends early where the process ends, as it should.
        void sleep(LAST_WORDS_MS, undefined, { signal: this.#over.signal }).then(
          () => child?.kill('SIGKILL'),
          () => {},
        )
        break
      default: {
        const text = inspect(value, { depth: 1, maxStringLength: 200 }).slice(0, 300)
        this.#world.onEvent({ kind: 'message-unknown', process: this.#spec.name, text })
      }
    }
  }

  /** Probes the process from its message `ready` to its end; kills it where it never comes or nothing answers. */
  async #watch(child: Child): Promise<void> {
    const { timings } = this.#world
    const over = this.#over.signal
    const late = sleep(timings.startTimeoutMs, 'late' as const, { signal: over }).catch(() => 'over' as const)
    const first = await Promise.race([this.#saidReady.promise, late])
    if (first === 'late') return this.#kill(child, 'NOT_READY', `was not ready within ${timings.startTimeoutMs} ms`)
    while (!over.aborted && this.#failure === undefined) {
      await this.#probe(child)
      const everyMs = this.#history.readyAt === undefined ? timings.startProbeEveryMs : timings.probeEveryMs
      await sleep(everyMs, undefined, { signal: over }).catch(() => {})
    }
  }

  async #probe(child: Child): Promise<void> {
    const { timings, clock } = this.#world
    const url = `${this.#spec.scheme}://${this.#spec.host}:${this.#port}`
    const answer =
      this.#port === undefined
        ? { kind: 'silent' as const, text: 'it said "ready" before "listening"' }
        : await probeReady(url, timings.probeTimeoutMs, this.#over.signal)
    if (this.#over.signal.aborted) return
    this.#history = foldProbe(this.#history, answer, clock())
    const verdict = toProbeVerdict(this.#history, clock(), timings)
    if (verdict.kind === 'kill') this.#kill(child, 'UNRESPONSIVE', `did not answer: ${this.#history.last}`)
    if (verdict.kind !== 'health') return
    const { health } = verdict
    if (health.state !== 'failing') return this.#listener.onHealth(health)
    const reason = await this.#toReason(health)
    if (!this.#over.signal.aborted) this.#listener.onHealth({ ...health, reason })
  }

  #kill(child: Child, code: string, reason: string): void {
    this.#failure ??= { code, reason }
    child.kill('SIGKILL')
  }

  async #waitForEnd(child: Child, stopping: AbortSignal, toPreStopMs: () => number): Promise<void> {
    if ((await raceStop(child.exit, stopping)) === 'ended') return
    // Whoever sends requests here hears of the stop before the process does.
    const preStopMs = this.#history.readyAt === undefined ? 0 : toPreStopMs()
    if (await endsWithin(child, preStopMs)) return
    child.kill('SIGTERM')
    if (await endsWithin(child, this.#world.timings.drainMs)) return
    child.kill('SIGKILL')
    await child.exit
  }
}

async function raceStop(exit: Promise<unknown>, stopping: AbortSignal): Promise<'ended' | 'stopping'> {
  if (stopping.aborted) return 'stopping'
  const stop = Promise.withResolvers<'stopping'>()
  const onAbort = (): void => stop.resolve('stopping')
  stopping.addEventListener('abort', onAbort, { once: true })
  const first = await Promise.race([exit.then(() => 'ended' as const), stop.promise])
  stopping.removeEventListener('abort', onAbort)
  return first
}

async function endsWithin(child: Child, waitMs: number): Promise<boolean> {
  const ended = new AbortController()
  const late = sleep(waitMs, false, { signal: ended.signal }).catch(() => true)
  const first = await Promise.race([child.exit.then(() => true), late])
  ended.abort()
  return first
}
