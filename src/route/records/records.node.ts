import { setTimeout as sleep } from 'node:timers/promises'
import { toErrorText } from '../../core/errors.ts'
import { toBackOffMs } from '../back-off.ts'
import type { Control } from '../control.node.ts'
import type { Limits } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { GatewayMetrics } from '../metrics.ts'
import { toBatches, toBatchText, toCheckedLines } from './batch.ts'
import type { RecordSink } from './record-sink.ts'
import type { Spool } from './spool.node.ts'
import type { Tap } from './tap.ts'
import { TapQueue } from './tap-queue.ts'
import { TapReader } from './tap-reader.node.ts'

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

/** Records of one batch, the bytes that are read into them at once, and the characters that they may have. */
const MAX_BATCH = 500
const MAX_READ_BYTES = 8 * 1024 * 1024
const MAX_BATCH_CHARS = 4 * 1024 * 1024

/**
 * Brings records to control in batches: while control is away into the spool, and from there when it is back. Control
 * knows a record that comes twice, so that whatever is in doubt is sent again.
 */
export class Recorder implements RecordSink {
  readonly #world: RecorderWorld
  readonly #queue: TapQueue
  readonly #reader: TapReader
  readonly #ended: Promise<void>
  /** Aborted when the time to drain is over: nothing is sent any more. */
  readonly #late = new AbortController()
  #wake = new AbortController()
  #draining = false
  #dropped = 0
  #failures = 0
  #awayUntil = 0
  #epoch: number | undefined
  #toldEpoch: number | undefined

  constructor(world: RecorderWorld) {
    this.#world = world
    this.#queue = new TapQueue(world.limits.maxPendingBytes)
    this.#reader = new TapReader({ maxBodyBytes: world.limits.maxTapBytes, logger: world.logger })
    this.#ended = this.#run()
  }

  /** Records that were dropped since the start. */
  get dropped(): number {
    return this.#dropped
  }

  add(tap: Tap): void {
    this.#reader.warmUp()
    const fate = this.#queue.push(tap)
    if (fate === 'without-rows') this.#world.metrics.untapped.inc({ reason: 'memory-full' })
    if (fate === 'dropped') this.#drop(1)
    if (this.#queue.length === MAX_BATCH) this.#wake.abort()
  }

  /** Tells control which routes are in force: with the next batch, or alone where there are no records. */
  announce(epoch: number): void {
    this.#epoch = epoch
    this.#wake.abort()
  }

  async drain(ms: number): Promise<void> {
    const timer = setTimeout(() => this.#late.abort(), ms)
    this.#draining = true
    this.#wake.abort()
    await this.#reader.endThread()
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
      for (const batch of toBatches(lines, MAX_BATCH_CHARS)) await this.#handOver(batch)
      if (lines.length === 0 && this.#draining) return
      if (this.#epoch !== this.#toldEpoch && !this.#isAway && !this.#draining) await this.#send([])
      const replayed = !this.#draining && (await this.#replay())
      if (!replayed && this.#queue.length < MAX_BATCH) await this.#pause()
    }
  }

  /** Whether control did not answer a moment ago. */
  get #isAway(): boolean {
    return performance.now() < this.#awayUntil
  }

  async #pause(): Promise<void> {
    if (this.#draining) return
    this.#wake = new AbortController()
    await sleep(this.#world.limits.flushEveryMs, undefined, { signal: this.#wake.signal }).catch(() => {})
  }

  async #readTaps(): Promise<readonly string[]> {
    const taps = this.#queue.take(MAX_BATCH, MAX_READ_BYTES)
    if (taps.length === 0) return []
    const { lines, unlabelled } = await this.#reader.read(taps)
    if (unlabelled > 0) this.#world.metrics.unlabelledRows.inc(unlabelled)
    return lines
  }

  async #handOver(lines: readonly string[]): Promise<void> {
    if ((this.#isAway && !this.#draining) || !(await this.#send(lines))) await this.#putAside(lines)
  }

  /** Sends one page of the spool; false where there is nothing to send or nobody to send it to. */
  async #replay(): Promise<boolean> {
    const { spool, logger } = this.#world
    if (spool.isEmpty || this.#isAway) return false
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
    const epoch = this.#epoch
    const head = { gateway, dropped: this.#dropped, ...(epoch === undefined ? {} : { epoch }) }
    const result = await control.sendRecords(toBatchText(head, lines), this.#late.signal)
    if (result.kind === 'away') {
      this.#noteAway(result.reason)
      return false
    }
    this.#noteBack()
    if (result.kind === 'stored') {
      this.#toldEpoch = epoch
      metrics.records.inc({ state: 'sent' }, lines.length)
      return true
    }
    if (lines.length <= 1) {
      logger.error({ reason: result.reason }, 'Control refused a record')
      this.#toldEpoch = epoch
      this.#drop(lines.length)
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
