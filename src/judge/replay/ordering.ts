import { UsageError } from '../../core/errors.ts'

/** Items that may wait for an earlier one: a bound on memory. */
export const MAX_LATE = 10_000

/** What has a place in time; undefined: right after the one before. */
export interface Timed {
  readonly at: number | undefined
}

/** Brings items that come a little late back into the order of their times. */
export class Ordering<item extends Timed> {
  #waiting: item[] = []
  #last = Number.NEGATIVE_INFINITY

  /** Takes an item and gives those whose turn has come. @throws OUTCOME_ORDER where it comes too late */
  add(item: item): readonly item[] {
    if (item.at === undefined) return [item]
    if (item.at < this.#last) {
      throw new UsageError(
        'OUTCOME_ORDER',
        `Cannot take a row of ${toIso(item.at)} after one of ${toIso(this.#last)}`,
        {
          fix: `Sort the file by "at"; rows may come up to ${MAX_LATE} pairs late`,
        },
      )
    }
    this.#waiting.push(item)
    return this.#waiting.length < 2 * MAX_LATE ? [] : this.#take(MAX_LATE)
  }

  /** Gives all that still waits. */
  flush(): readonly item[] {
    return this.#take(this.#waiting.length)
  }

  /** Sorting is stable: of one time, the first that came is first. */
  #take(count: number): readonly item[] {
    const sorted = this.#waiting.sort((a, b) => (a.at ?? 0) - (b.at ?? 0))
    this.#waiting = sorted.slice(count)
    const taken = sorted.slice(0, count)
    this.#last = taken.at(-1)?.at ?? this.#last
    return taken
  }
}

function toIso(at: number): string {
  return Number.isFinite(at) && Math.abs(at) < 8.64e15 ? new Date(at).toISOString() : String(at)
}
