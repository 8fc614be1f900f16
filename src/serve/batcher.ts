import { Refusal } from './errors.ts'

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

/** Works in the order of their arrival, those that fit together at a time. */
export interface Batcher<work extends Work, result> {
  /** How many wait now. */
  readonly waiting: number
  /** Runs a work when it is its turn. @throws OVERLOADED, GONE, DEADLINE, and what its run says */
  add(work: work): Promise<result>
}

interface Entry<work, result> {
  readonly work: work
  readonly addedAt: number
  readonly resolve: (result: result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Opens a batcher without works. It is greedy: whenever the engine is free it takes what waits, the first to come and
 * those that fit it, and never waits for more unless told to.
 */
export function toBatcher<work extends Work, result>(options: BatcherOptions<work, result>): Batcher<work, result> {
  const { clock, parallel, maxWaiting } = options
  const waiting = new Set<Entry<work, result>>()
  let running = 0
  let isDue = false
  let isTimed = false
  return {
    get waiting() {
      return [...waiting].filter(({ work }) => !work.signal.aborted).length
    },
    add(work) {
      const dropped = toDropped(work, clock.now)
      if (dropped !== undefined) return Promise.reject(dropped)
      // Places that are free are filled at the end of this turn.
      const room = maxWaiting + Math.max(0, parallel() - running)
      if (waiting.size >= room) dropUnwanted()
      if (waiting.size >= room)
        return Promise.reject(new Refusal('OVERLOADED', `The server is busy: ${maxWaiting} requests wait already`))
      return new Promise((resolve, reject) => {
        waiting.add({ work, addedAt: clock.now(), resolve, reject })
        if (running < parallel()) fillSoon()
      })
    },
  }

  function fillSoon(): void {
    if (isDue) return
    isDue = true
    clock.defer(() => {
      isDue = false
      fill()
    })
  }

  function fill(): void {
    for (;;) {
      const free = parallel() - running
      const batch = free <= 0 ? 'later' : take(free)
      if (batch === 'later') return
      void start(batch)
    }
  }

  async function start(batch: readonly Entry<work, result>[]): Promise<void> {
    running += 1
    const settled = await options.run(batch.map(({ work }) => work))
    running -= 1
    for (const [at, { resolve, reject }] of batch.entries()) {
      const one = settled[at]
      if (one?.status === 'fulfilled') resolve(one.value)
      else reject(one?.reason)
    }
    fill()
  }

  /** Takes the next batch from what waits, so that there is one for every free place, if it is time for one. */
  function take(free: number): readonly Entry<work, result>[] | 'later' {
    dropUnwanted()
    const [first] = waiting
    if (first === undefined) return 'later'
    const share = Math.ceil(waiting.size / free)
    const batch = gather(first, options.maxRows(), share)
    if (isWorthWaiting(first, batch)) return 'later'
    for (const entry of batch) waiting.delete(entry)
    return batch
  }

  function gather(first: Entry<work, result>, maxRows: number, share: number): readonly Entry<work, result>[] {
    const { key } = first.work
    const batch: Entry<work, result>[] = []
    let rows = 0
    let bytes = 0
    for (const entry of waiting) {
      if (entry !== first && (key === undefined || entry.work.key !== key)) continue
      rows += entry.work.rows
      bytes += entry.work.sizeBytes
      // The next of its kind waits for the next batch, lest a smaller one behind it overtakes.
      if (batch.length > 0 && (rows > maxRows || bytes > options.maxBytes)) break
      batch.push(entry)
      if (key === undefined || rows >= maxRows || batch.length >= share) break
    }
    return batch
  }

  function isWorthWaiting(first: Entry<work, result>, batch: readonly Entry<work, result>[]): boolean {
    const remainingMs = first.addedAt + options.maxDelayMs - clock.now()
    if (options.maxDelayMs === 0 || first.work.key === undefined || remainingMs <= 0) return false
    if (batch.reduce((rows, { work }) => rows + work.rows, 0) >= options.maxRows()) return false
    if (!isTimed) {
      isTimed = true
      clock.after(remainingMs, () => {
        isTimed = false
        fill()
      })
    }
    return true
  }

  /** Drops works that nobody waits for any more. */
  function dropUnwanted(): void {
    for (const entry of waiting) {
      const dropped = toDropped(entry.work, clock.now)
      if (dropped === undefined) continue
      waiting.delete(entry)
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
