import type { RecordRow } from '../../core/wire/records.ts'
import type { Logged } from '../../core/wire/routes.ts'

/** A row of a request or an answer that has more characters of JSON is not logged. */
export const MAX_ROW_CHARS = 16 * 1024
/** Nor are the rows of one record after so many characters. */
export const MAX_RECORD_CHARS = 256 * 1024

/** Takes the rows of one record that are logged as they are, within bounds. */
export class RowLog {
  readonly #logged: Logged | undefined
  #left = MAX_RECORD_CHARS

  constructor(logged: Logged | undefined) {
    this.#logged = logged
  }

  /** What of a row goes into its record. */
  take(input: unknown, output: unknown): Pick<RecordRow, 'input' | 'output'> {
    if (this.#logged === undefined) return {}
    const fits = { input: this.#logged === 'inputs' && this.#fits(input), output: this.#fits(output) }
    return { ...(fits.input && { input }), ...(fits.output && { output }) }
  }

  #fits(row: unknown): boolean {
    // A number that JSON does not have would come back as null.
    const chars = JSON.stringify(row)?.length ?? Number.POSITIVE_INFINITY
    if (chars > MAX_ROW_CHARS || chars > this.#left) return false
    this.#left -= chars
    return true
  }
}
