import { UsageError } from '../../core/errors.ts'
import type { OutcomeRow } from './row.ts'

/** Requests that may wait for their other variant: a bound on memory. */
export const MAX_WAITING = 200_000

/** Finds the two rows of one request, which may lie some way apart in the file. */
export class Pairing {
  readonly #waiting = new Map<string, OutcomeRow>()
  #given = 0

  /** Rows that found no partner so far, or never will. */
  get unpaired(): number {
    return this.#waiting.size + this.#given
  }

  /** The partner of a row, or undefined where it has to wait. The longest waiting row is given up for it. @throws OUTCOME_ROW */
  match(row: OutcomeRow): OutcomeRow | undefined {
    const partner = this.#waiting.get(row.request)
    if (partner === undefined) {
      this.#wait(row)
      return undefined
    }
    if (partner.variant === row.variant) {
      throw new UsageError('OUTCOME_ROW', `Cannot take request "${row.request}" of variant "${row.variant}" twice`, {
        fix: 'Give each row of a batch a request of its own, such as "7/0" and "7/1"',
      })
    }
    this.#waiting.delete(row.request)
    return partner
  }

  #wait(row: OutcomeRow): void {
    this.#waiting.set(row.request, row)
    if (this.#waiting.size <= MAX_WAITING) return
    const [oldest] = this.#waiting.keys()
    if (oldest !== undefined) this.#waiting.delete(oldest)
    this.#given += 1
  }
}
