import { Refusal } from '../errors.ts'

/** Work that waits for the engine. */
export interface Work {
  /** Works of one key may run together; one without a key runs alone. */
  readonly key: string | undefined
  readonly rows: number
  /** What it takes of memory while it runs. */
  readonly sizeBytes: number
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  /** Epoch ms; from then on nobody wants the answer. */
  readonly deadlineAt: number | undefined
}

/** How a batcher is set up. */
export interface BatcherOptions<work extends Work, result> {
  /** Runs works of one key, or a single one; a result or an error for each, in their order. Never rejects. */
  readonly run: (works: readonly work[]) => Promise<readonly PromiseSettledResult<result>[]>
  /** Batches worth having under way at once. */
  readonly parallel: () => number
  /** Rows from which on a batch is full. */
  readonly maxRows: () => number
  /** Bytes from which on a batch is full. */
  readonly maxBytes: number
  /** Works that wait beside those under way; more are refused. */
  readonly maxWaiting: number
  /** How long a batch that is not full waits for more, ms; 0 for not at all. */
  readonly maxDelayMs: number
  readonly clock: BatcherClock
}

/** The time that a batcher lives in. */
export interface BatcherClock {
  /** Epoch ms. */
  readonly now: () => number
  /** Calls back once everything that has arrived by now was heard of. */
  readonly defer: (call: () => void) => void
  readonly after: (delayMs: number, call: () => void) => void
}

interface Entry<work, result> {
  readonly work: work
  readonly addedAt: number
  readonly resolve: (result: result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Works in the order of their arrival, those that fit together at a time. It is greedy: whenever the engine is free it
 * takes what waits, the first to come and those that fit it, and never waits for more unless told to.
 */
export class Batcher<work extends Work, result> {
  readonly #options: BatcherOptions<work, result>
  readonly #waiting = new Set<Entry<work, result>>()
  #running = 0
  #isDue = false
  #isTimed = false

  constructor(options: BatcherOptions<work, result>) {
    this.#options = options
  }

  /** How many wait now. */
  get waiting(): number {
    return [...this.#waiting].filter(({ work }) => !work.signal.aborted).length
  }

  /** Runs a work when it is its turn. @throws OVERLOADED, GONE, DEADLINE, and what its run says */
  add(work: work): Promise<result> {
    const { clock, parallel, maxWaiting } = this.#options
    const dropped = toDropped(work, clock.now)
    if (dropped !== undefined) return Promise.reject(dropped)
    // Places that are free are filled at the end of this turn.
    const room = maxWaiting + Math.max(0, parallel() - this.#running)
    if (this.#waiting.size >= room) this.#dropUnwanted()
    if (this.#waiting.size >= room) {
      return Promise.reject(new Refusal('OVERLOADED', `The server is busy: ${maxWaiting} requests wait already`))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.add({ work, addedAt: clock.now(), resolve, reject })
      if (this.#running < parallel()) this.#fillSoon()
    })
  }

  #fillSoon(): void {
    if (this.#isDue) return
    this.#isDue = true
    this.#options.clock.defer(() => {
      this.#isDue = false
      this.#fill()
    })
  }

  #fill(): void {
    for (;;) {
      const free = this.#options.parallel() - this.#running
      const batch = free <= 0 ? 'later' : this.#take(free)
      if (batch === 'later') return
      // Whatever its run says goes to who asked.
      void this.#start(batch)
    }
  }

  async #start(batch: readonly Entry<work, result>[]): Promise<void> {
    this.#running += 1
    const settled = await this.#options.run(batch.map(({ work }) => work))
    this.#running -= 1
    for (const [at, { resolve, reject }] of batch.entries()) {
      const one = settled[at]
      if (one?.status === 'fulfilled') resolve(one.value)
      else reject(one?.reason)
    }
    this.#fill()
  }

  /** Takes the next batch from what waits, so that there is one for every free place, if it is time for one. */
  #take(free: number): readonly Entry<work, result>[] | 'later' {
    this.#dropUnwanted()
    const [first] = this.#waiting
    if (first === undefined) return 'later'
    const batch = this.#gather(first, Math.ceil(this.#waiting.size / free))
    if (this.#isWorthWaiting(first, batch)) return 'later'
    for (const entry of batch) this.#waiting.delete(entry)
    return batch
  }

  /** The first and those that fit it, up to a whole batch, or to so many works. */
  #gather(first: Entry<work, result>, share: number): readonly Entry<work, result>[] {
    const { key } = first.work
    const maxRows = this.#options.maxRows()
    const batch: Entry<work, result>[] = []
    let rows = 0
    let bytes = 0
    for (const entry of this.#waiting) {
      if (entry !== first && (key === undefined || entry.work.key !== key)) continue
      rows += entry.work.rows
      bytes += entry.work.sizeBytes
      // The next of its kind waits for the next batch, lest a smaller one behind it overtakes.
      if (batch.length > 0 && (rows > maxRows || bytes > this.#options.maxBytes)) break
      batch.push(entry)
      if (key === undefined || rows >= maxRows || batch.length >= share) break
    }
    return batch
  }

  #isWorthWaiting(first: Entry<work, result>, batch: readonly Entry<work, result>[]): boolean {
    const { clock, maxDelayMs, maxRows } = this.#options
    const remainingMs = first.addedAt + maxDelayMs - clock.now()
    if (maxDelayMs === 0 || first.work.key === undefined || remainingMs <= 0) return false
    if (batch.reduce((rows, { work }) => rows + work.rows, 0) >= maxRows()) return false
    this.#fillAfter(remainingMs)
    return true
  }

  #fillAfter(delayMs: number): void {
    if (this.#isTimed) return
    this.#isTimed = true
    this.#options.clock.after(delayMs, () => {
      this.#isTimed = false
      this.#fill()
    })
  }

  /** Drops works that nobody waits for any more. */
  #dropUnwanted(): void {
    for (const entry of this.#waiting) {
      const dropped = toDropped(entry.work, this.#options.clock.now)
      if (dropped === undefined) continue
      this.#waiting.delete(entry)
      entry.reject(dropped)
    }
  }
}

/** Why a work is not to be run any more, if so. */
export function toDropped({ signal, deadlineAt }: Work, now: () => number): Refusal | undefined {
  if (signal.aborted) return new Refusal('GONE', 'The client closed the connection before its turn')
  if (deadlineAt === undefined || now() < deadlineAt) return undefined
  return new Refusal('DEADLINE', 'The time limit of the request was over before its turn')
}
