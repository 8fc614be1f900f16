import { isAscii, isUtf8 } from 'node:buffer'
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

/** Where a reader stands in its text, which is UTF-8. */
export interface Cursor {
  readonly bytes: Buffer
  /** A character for each byte: of ASCII, which is all that JSON needs but for strings, it is the text. */
  readonly latin1: string
  readonly isAscii: boolean
  /** Offset of the next byte. */
  at: number
}

/** Puts a cursor at the start of a text, behind its byte order mark. @throws TENSOR_JSON where it is not UTF-8 */
export function openCursor(bytes: Uint8Array): Cursor {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const ascii = isAscii(buffer)
  if (!ascii && !isUtf8(buffer)) throw new JsonParseError('Invalid encoding in string.', 0)
  const latin1 = buffer.toString('latin1')
  return { bytes: buffer, latin1, isAscii: ascii, at: latin1.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0 }
}

const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf'

/** The byte at the cursor, or NaN behind the end of the text. */
export function codeAt({ latin1, at }: Cursor): number {
  return latin1.charCodeAt(at)
}

/** The text between two offsets, neither of them inside a character. */
export function sliceText({ bytes, latin1, isAscii }: Cursor, from: number, to: number): string {
  return isAscii ? latin1.slice(from, to) : bytes.toString('utf8', from, to)
}

/** Ends the reading: what is wrong, at the cursor. @throws TENSOR_JSON */
export function fail(cursor: Cursor, reason: string): never {
  throw new JsonParseError(reason, cursor.at)
}
