import type { TruthResponseJson } from '../../control/index.ts'
import { RegattaError } from '../../core/errors.ts'
import type { TruthRow } from './row.ts'

/** Truths sent at once, and batches on their way at once. */
const BATCH = 1000
const MAX_IN_FLIGHT = 4

/** What became of the truths of a file. */
export interface TruthTotals extends Omit<TruthResponseJson, 'schema' | 'problems'> {
  /** Rows that were answered for. */
  readonly rows: number
}

/** A row that was wrong. */
export interface TruthProblem {
  readonly place: string
  readonly message: string
}

/** How truths are sent. */
export interface SendOptions {
  /** Sends a batch, of which control leaves out what is wrong; tries again what may pass. */
  readonly send: (batch: readonly unknown[], signal: AbortSignal) => Promise<TruthResponseJson>
  readonly onError: 'stop' | 'skip'
  readonly onProblem: (problem: TruthProblem) => void
  readonly onProgress: (totals: TruthTotals) => void
}

/**
 * Sends truths in batches, several at once, and holds no more of them than that. Whoever sends the same file again
 * after an end half-way counts nothing twice: control knows what it has.
 *
 * @throws TRUTH at the first row that is wrong, unless those are skipped, and what `send` throws
 */
export async function sendTruths(
  rows: AsyncIterable<TruthRow>,
  options: SendOptions,
  signal: AbortSignal,
): Promise<TruthTotals> {
  const sender = new Sender(options, signal)
  try {
    for await (const row of rows) await sender.add(row)
    return await sender.end()
  } catch (error) {
    await sender.giveUp()
    throw error
  }
}

class Sender {
  readonly #options: SendOptions
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #inFlight = new Set<Promise<void>>()
  #batch: TruthRow[] = []
  #failure: { readonly error: unknown } | undefined
  #totals: TruthTotals = { rows: 0, new: 0, duplicate: 0, revised: 0, stale: 0, conflict: 0, orphan: 0, refused: 0 }

  constructor(options: SendOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = AbortSignal.any([signal, this.#stop.signal])
  }

  async add(row: TruthRow): Promise<void> {
    this.#batch.push(row)
    if (this.#batch.length >= BATCH) await this.#flush()
  }

  async end(): Promise<TruthTotals> {
    await this.#flush()
    await Promise.all(this.#inFlight)
    this.#check()
    return this.#totals
  }

  /** Waits for the batches on their way, so that the totals are true. */
  async giveUp(): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled(this.#inFlight)
    this.#options.onProgress(this.#totals)
  }

  async #flush(): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    while (this.#inFlight.size >= MAX_IN_FLIGHT) await Promise.race(this.#inFlight)
    this.#signal.throwIfAborted()
    this.#check()
    if (batch.length === 0) return
    const sending = this.#send(batch)
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => this.#inFlight.delete(sending))
    this.#inFlight.add(sending)
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  async #send(batch: readonly TruthRow[]): Promise<void> {
    const good = batch.flatMap(row => ('truth' in row ? [row] : []))
    const bad = batch.flatMap(row => ('problem' in row ? [{ place: row.place, message: row.problem }] : []))
    const answer = good.length === 0 ? undefined : await this.#options.send(toTruths(good), this.#signal)
    const refused = (answer?.problems ?? []).map(problem => toFilePlace(problem, good))
    this.#count(batch.length, answer, bad.length + refused.length)
    this.#options.onProgress(this.#totals)
    for (const problem of [...bad, ...refused]) this.#complain(problem)
  }

  #count(rows: number, answer: TruthResponseJson | undefined, refused: number): void {
    const before = this.#totals
    this.#totals = {
      rows: before.rows + rows,
      new: before.new + (answer?.new ?? 0),
      duplicate: before.duplicate + (answer?.duplicate ?? 0),
      revised: before.revised + (answer?.revised ?? 0),
      stale: before.stale + (answer?.stale ?? 0),
      conflict: before.conflict + (answer?.conflict ?? 0),
      orphan: before.orphan + (answer?.orphan ?? 0),
      refused: before.refused + refused,
    }
  }

  #complain(problem: TruthProblem): void {
    if (this.#options.onError === 'skip') {
      this.#options.onProblem(problem)
      return
    }
    throw new RegattaError('TRUTH', `Cannot take ${problem.place}: ${problem.message}`, {
      fix: 'Correct it and send the file again, which counts nothing twice; or leave such rows out: --on-error skip',
    })
  }
}

function toTruths(rows: readonly { readonly truth: unknown }[]): readonly unknown[] {
  return rows.map(({ truth }) => truth)
}

/** Control tells the place in the batch, `truth 3`; whoever has the file wants the place there. */
function toFilePlace({ place, message }: TruthProblem, rows: readonly { readonly place: string }[]): TruthProblem {
  const index = Number(/\d+$/.exec(place)?.[0])
  const found = rows[index]?.place ?? place
  return { place: found, message: message.replace(place, found) }
}
