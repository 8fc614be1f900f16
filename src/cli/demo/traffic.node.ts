import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { toErrorText } from '../../core/errors.ts'
import { isObject } from '../../core/json.ts'

/** What live traffic needs to know. */
export interface TrafficOptions {
  /** Folder of the project with its `live.ts`. */
  readonly folder: string
  readonly node: string
  readonly gateway: string
  readonly model: string
  /** Token that may report truths. */
  readonly token: string
  readonly signal: AbortSignal
}

/** One new series: the days a client knows, and the day that it asks about. */
interface Walk {
  readonly series: string
  readonly at: string
  readonly instance: unknown
  readonly truth: number
}

const WALKS_PER_CALL = 400
const MOST_IN_FLIGHT = 64
const TRUTH_DELAY_MS = 1000
const MOST_OVERDUE_MS = 500
const MOST_REQUESTS = 20_000

/**
 * Sends new live data as any client would: a prediction for each series, and the truth about a second later.
 * It stops by itself after 20,000 requests.
 */
export class LiveTraffic implements AsyncDisposable {
  readonly #options: TrafficOptions
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #inFlight = new Set<Promise<void>>()
  readonly #due: { readonly series: string; readonly at: string; readonly value: number; readonly from: number }[] = []
  #perSecond: number
  #chapter: { from: number }
  #done: Promise<void> | undefined
  #last: { readonly prediction: string; readonly variant: string } | undefined
  /** Requests sent, and those that got no answer or an error. */
  requests = 0
  failures: string[] = []

  /** Starts with the walk of number `from`. */
  constructor(options: TrafficOptions, perSecond: number, from: number) {
    this.#options = options
    this.#chapter = { from }
    this.#perSecond = perSecond
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal])
  }

  /** The last prediction that was answered, or undefined. */
  get last(): { readonly prediction: string; readonly variant: string } | undefined {
    return this.#last
  }

  start(): void {
    this.#done = Promise.all([this.#sendRequests(), this.#sendTruths()]).then(() => undefined)
  }

  setRate(perSecond: number): void {
    this.#perSecond = perSecond
  }

  /** Goes on with the walks from number `from`, so that a race sees the same data however long training took. */
  skipTo(from: number): void {
    this.#chapter = { from }
  }

  /** Stops asking, lets answers and truths on their way arrive. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#done
  }

  async #sendRequests(): Promise<void> {
    let due = performance.now()
    for await (const walk of this.#walks()) {
      if (this.#signal.aborted) break
      if (this.#inFlight.size >= MOST_IN_FLIGHT) await Promise.race(this.#inFlight)
      const request: Promise<void> = this.#ask(walk).finally(() => this.#inFlight.delete(request))
      this.#inFlight.add(request)
      // By schedule, so that a busy machine does not slow the clients down; what is long overdue is not caught up.
      due = Math.max(due + 1000 / this.#perSecond, performance.now() - MOST_OVERDUE_MS)
      const waitMs = due - performance.now()
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: this.#signal }).catch(() => undefined)
    }
    await Promise.all(this.#inFlight)
  }

  async *#walks(): AsyncIterable<Walk> {
    while (!this.#signal.aborted && this.requests < MOST_REQUESTS) {
      const chapter = this.#chapter
      const lines = await this.#drawWalks(chapter.from)
      chapter.from += WALKS_PER_CALL
      for (const line of lines) {
        if (this.#chapter !== chapter) break
        yield parseWalk(line)
      }
    }
  }

  async #drawWalks(from: number): Promise<readonly string[]> {
    const { folder, node } = this.#options
    const args = [join(folder, 'live.ts'), '--from', String(from), '--count', String(WALKS_PER_CALL)]
    const { stdout } = await promisify(execFile)(node, args, { cwd: folder, maxBuffer: 64e6 })
    return stdout.split('\n').filter(line => line !== '')
  }

  async #ask({ at, instance, series, truth }: Walk): Promise<void> {
    const { gateway, model } = this.#options
    this.requests += 1
    try {
      const response = await fetch(`${gateway}/v1/models/${model}:predict`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-regatta-series': series, 'x-regatta-at': at },
        body: JSON.stringify({ instances: [instance] }),
      })
      const body = await response.text()
      if (!response.ok) throw new Error(`${response.status}: ${body.slice(0, 200)}`)
      const prediction = response.headers.get('x-regatta-prediction') ?? ''
      this.#last = { prediction, variant: response.headers.get('x-regatta-variant') ?? '' }
      this.#due.push({ series, at, value: truth, from: Date.now() + TRUTH_DELAY_MS })
    } catch (error) {
      this.failures.push(toErrorText(error))
    }
  }

  async #sendTruths(): Promise<void> {
    for (;;) {
      const ending = this.#signal.aborted
      if (ending) await Promise.all(this.#inFlight)
      else await sleep(250, undefined, { signal: this.#signal }).catch(() => undefined)
      const ready = this.#due.findIndex(({ from }) => !ending && from > Date.now())
      const truths = this.#due.splice(0, ready === -1 ? this.#due.length : ready)
      if (truths.length > 0) await this.#report(truths.map(({ at, series, value }) => ({ series, at, value })))
      if (ending) return
    }
  }

  async #report(
    truths: readonly { readonly series: string; readonly at: string; readonly value: number }[],
  ): Promise<void> {
    const { gateway, token } = this.#options
    try {
      const response = await fetch(`${gateway}/truth`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(truths),
      })
      if (!response.ok) throw new Error(`truth ${response.status}: ${(await response.text()).slice(0, 200)}`)
    } catch (error) {
      this.failures.push(toErrorText(error))
    }
  }
}

function parseWalk(line: string): Walk {
  const value: unknown = JSON.parse(line)
  if (!isObject(value)) throw new Error(`live.ts printed "${line.slice(0, 80)}", not an object`)
  const { at, instance, series, truth } = value
  if (typeof series !== 'string' || typeof at !== 'string' || typeof truth !== 'number') {
    throw new Error(`live.ts printed a line without series, at and truth: "${line.slice(0, 80)}"`)
  }
  return { series, at, instance, truth }
}
