import { TensorError } from './errors.ts'

/** A text that is not JSON. The reasons are the words of RapidJSON, which both protocols' first servers use. */
export class JsonParseError extends TensorError {
  readonly reason: string
  /** Where the reading stopped, bytes from the start of the text. */
  readonly offset: number

  constructor(reason: string, offset: number) {
    super('TENSOR_JSON', `JSON Parse error: ${reason} at offset: ${offset}`)
    this.reason = reason
    this.offset = offset
  }
}

/** Where a reader stands in its text. */
export interface Cursor {
  readonly text: string
  at: number
}

/** Ends the reading: what is wrong, at the cursor. @throws TENSOR_JSON */
export function fail(cursor: Cursor, reason: string): never {
  throw new JsonParseError(reason, Buffer.byteLength(cursor.text.slice(0, cursor.at)))
}
