/**
 * One malformed request.
 * - `http`: one request of HTTP/1.1, whole and well framed, on a connection that is kept; one answer is expected.
 * - `wire`: bytes on a connection of their own to the port of HTTP. `refused`: whoever follows RFC 9112 answers them with an
 *   error and closes. Where the bytes are cut off, the client closes its half after them.
 * - `call`: one gRPC call of these headers and this body, prefix and all.
 * - `stream`: one gRPC call of many messages on one side or both, all of whose messages are the body, prefixes and all, sent
 *   in pieces. Then the client says that no more comes (`close`), waits for an answer to each and goes (`leave`), or goes at
 *   once (`reset`).
 * - `frames`: bytes on a connection of their own to the port of gRPC, after the preface of HTTP/2 unless they have none.
 */
export type Case = (
  | { readonly door: 'http'; readonly method: string; readonly target: string; readonly headers: Headers; body: Buffer }
  | { readonly door: 'wire'; readonly bytes: Buffer; readonly wanted: 'refused' | 'any' }
  | { readonly door: 'call'; readonly path: string; readonly headers: Headers; body: Buffer }
  | {
      readonly door: 'stream'
      readonly path: string
      readonly headers: Headers
      body: Buffer
      readonly pieceBytes: number
      readonly end: 'close' | 'leave' | 'reset'
    }
  | { readonly door: 'frames'; readonly bytes: Buffer; readonly hasPreface: boolean }
) & {
  /** Which kind of damage was done: what is counted and reported together. */
  readonly family: string
}

/** Which port a case goes to, and how. */
export type Door = Case['door']

/** The ways in. */
export const DOORS = ['http', 'wire', 'call', 'stream', 'frames'] as const satisfies readonly Door[]

/** Headers in the order in which they are sent; names may repeat. */
export type Headers = readonly (readonly [name: string, value: string])[]

type OfDoor<door extends Door> = Extract<Case, { readonly door: door }>
export type HttpCase = OfDoor<'http'>
export type WireCase = OfDoor<'wire'>
export type CallCase = OfDoor<'call'>
export type StreamCase = OfDoor<'stream'>
export type FramesCase = OfDoor<'frames'>

/** A case as it stands in the corpus: bytes as text where they are printable, else as base64. */
export function toJson(example: Case): unknown {
  return Object.fromEntries(
    Object.entries(example).map(([key, value]) => [key, value instanceof Buffer ? toText(value) : value]),
  )
}

/** Reads a case of the corpus. */
export function parseCase(value: unknown): Case {
  const fields = Object.entries(Object(value) as Record<string, unknown>)
  const found = Object.fromEntries(
    fields.map(([key, item]) => [key, key === 'body' || key === 'bytes' ? toBytes(item) : item]),
  )
  if (DOORS.some(door => door === found['door'])) return found as unknown as Case
  throw new Error(`Cannot use a case of door ${JSON.stringify(found['door'])}: expected ${DOORS.join(', ')}`)
}

function toText(bytes: Buffer): string | { readonly base64: string } {
  const text = bytes.toString('latin1')
  return /^[\t\r\n\x20-\x7e]*$/.test(text) ? text : { base64: bytes.toString('base64') }
}

function toBytes(value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.from(value, 'latin1')
  return Buffer.from(String((Object(value) as { base64?: unknown }).base64), 'base64')
}
