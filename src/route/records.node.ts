import { setTimeout as sleep } from 'node:timers/promises'
import { toErrorText } from '../core/errors.ts'
import { toBackOffMs } from './back-off.ts'
import { toBatchText, toCheckedLines } from './batch.ts'
import type { Control } from './control.node.ts'
import type { Limits } from './limits.ts'
import type { Logger } from './logger.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { RecordSink } from './record-sink.ts'
import type { Spool } from './spool.node.ts'
import { type Tap, toRecord } from './tap.ts'
import { TapQueue } from './tap-queue.ts'

/** What records need on their way to control. */
export interface RecorderWorld {
  /** Names this gateway process in its batches. */
  readonly gateway: string
  readonly control: Pick<Control, 'sendRecords'>
  readonly spool: Spool
  readonly limits: Limits
  readonly metrics: GatewayMetrics
  readonly logger: Logger
}

/** Records of one batch, and taps read without letting requests in between. */
const MAX_BATCH = 500
const TAPS_IN_A_ROW = 32
const MAX_BATCH_CHARS = 4 * 1024 * 1024

/**
 * Brings records to control in batches: while control is away into the spool, and from there when it is back. Control
 * knows a record that comes twice, so that whatever is in doubt is sent again.
 */
export class Recorder implements RecordSink {
  readonly #world: RecorderWorld
  readonly #queue: TapQueue
  readonly #ended: Promise<void>
  /** Aborted when the time to drain is over: nothing is sent any more. */
  readonly #late = new AbortController()
  #wake = new AbortController()
  #draining = false
  #dropped = 0
  #failures = 0
  #awayUntil = 0

  constructor(world: RecorderWorld) {
    this.#world = world
    this.#queue = new TapQueue(world.limits.maxPendingBytes)
    this.#ended = this.#run()
  }

  /** Records that were dropped since the start. */
  get dropped(): number {
    return this.#dropped
  }

  add(tap: Tap): void {
    const fate = this.#queue.push(tap)
    if (fate === 'without-rows') this.#world.metrics.untapped.inc({ reason: 'memory-full' })
    if (fate === 'dropped') this.#drop(1)
    if (this.#queue.length === MAX_BATCH) this.#wake.abort()
  }

  async drain(ms: number): Promise<void> {
    const timer = setTimeout(() => this.#late.abort(), ms)
    this.#draining = true
    this.#wake.abort()
    await this.#ended
    clearTimeout(timer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0)
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    for (;;) {
      const lines = await this.#readTaps()
      if (lines.length > 0) await this.#handOver(lines)
      else if (this.#draining) return
      const replayed = !this.#draining && (await this.#replay())
      if (!replayed && this.#queue.length < MAX_BATCH) await this.#pause()
    }
  }

  async #pause(): Promise<void> {
    if (this.#draining) return
    this.#wake = new AbortController()
    await sleep(this.#world.limits.flushEveryMs, undefined, { signal: this.#wake.signal }).catch(() => {})
  }

  /** Reads taps into the lines of one batch, letting requests in between. */
  async #readTaps(): Promise<readonly string[]> {
    const lines: string[] = []
    for (let chars = 0; lines.length < MAX_BATCH && chars < MAX_BATCH_CHARS; ) {
      const tap = this.#queue.shift()
      if (tap === undefined) break
      const { record, unlabelled } = toRecord(tap)
      if (unlabelled > 0) this.#world.metrics.unlabelledRows.inc(unlabelled)
      const line = JSON.stringify(record)
      lines.push(line)
      chars += line.length
      if (lines.length % TAPS_IN_A_ROW === 0) await new Promise(resolve => setImmediate(resolve))
    }
    return lines
  }

  async #handOver(lines: readonly string[]): Promise<void> {
    const isAway = performance.now() < this.#awayUntil && !this.#draining
    if (isAway || !(await this.#send(lines))) await this.#putAside(lines)
  }

  /** Sends one page of the spool; false where there is nothing to send or nobody to send it to. */
  async #replay(): Promise<boolean> {
    const { spool, logger } = this.#world
    if (spool.isEmpty || performance.now() < this.#awayUntil) return false
    try {
      const page = await spool.read()
      const lines = toCheckedLines(page.lines)
      if (lines.length > 0 && !(await this.#send(lines))) return false
      if (lines.length < page.lines.length) this.#drop(page.lines.length - lines.length)
      await spool.take(page)
      return true
    } catch (error) {
      logger.error({ error: toErrorText(error) }, 'Cannot read the spool')
      this.#awayUntil = performance.now() + this.#world.limits.maxBackOffMs
      return false
    }
  }

  /** Sends lines as one batch, or, where control refuses it, each half alone; false where control is away. */
  async #send(lines: readonly string[]): Promise<boolean> {
    const { control, gateway, metrics, logger } = this.#world
    if (this.#late.signal.aborted) return false
    const result = await control.sendRecords(toBatchText(gateway, this.#dropped, lines), this.#late.signal)
    if (result.kind === 'away') {
      this.#noteAway(result.reason)
      return false
    }
    this.#noteBack()
    if (result.kind === 'stored') {
      metrics.records.inc({ state: 'sent' }, lines.length)
      return true
    }
    if (lines.length === 1) {
      logger.error({ reason: result.reason }, 'Control refused a record')
      this.#drop(1)
      return true
    }
    const half = Math.ceil(lines.length / 2)
    return (await this.#send(lines.slice(0, half))) && (await this.#send(lines.slice(half)))
  }

  async #putAside(lines: readonly string[]): Promise<void> {
    const { spool, metrics, logger } = this.#world
    try {
      const dropped = await spool.append(lines)
      metrics.records.inc({ state: 'spooled' }, lines.length - dropped)
      this.#drop(dropped)
    } catch (error) {
      logger.error({ error: toErrorText(error) }, 'Cannot write to the spool')
      this.#drop(lines.length)
    }
  }

  #drop(records: number): void {
    this.#dropped += records
    this.#world.metrics.records.inc({ state: 'dropped' }, records)
  }

  #noteAway(reason: string): void {
    if (this.#failures === 0) this.#world.logger.warn({ reason }, 'Control takes no records: they go into the spool')
    this.#failures += 1
    this.#awayUntil = performance.now() + toBackOffMs(this.#failures, this.#world.limits.maxBackOffMs)
  }

  #noteBack(): void {
    if (this.#failures > 0) this.#world.logger.info({}, 'Control takes records again')
    this.#failures = 0
  }
}
