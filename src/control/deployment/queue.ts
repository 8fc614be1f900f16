import { toControlError } from '../errors.ts'

/** Runs pieces of work one after the other; a failed one does not hold up the next. */
export class WorkQueue {
  readonly #limit: number
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Runs the work when all that came before is done. @throws BUSY where too much waits */
  async run<result>(work: () => Promise<result>): Promise<result> {
    if (this.#waiting >= this.#limit) {
      throw toControlError('BUSY', `Cannot take another command: ${this.#waiting} wait already`, 'Try again later')
    }
    this.#waiting += 1
    const turn = this.#last.then(work).finally(() => {
      this.#waiting -= 1
    })
    this.#last = turn.catch(() => {})
    return await turn
  }

  /** Resolves when everything that was taken so far is done. */
  async idle(): Promise<void> {
    await this.#last
  }
}
