import type { EventJson } from './api/events.ts'

const encoder = new TextEncoder()

/** One event of a stream. Source: WHATWG HTML, section 9.2.6, "Interpreting an event stream". */
export function toEvent({ kind, ...data }: EventJson): Uint8Array {
  // JSON has no line breaks, so one data field holds it.
  return encoder.encode(`event: ${kind}\ndata: ${JSON.stringify({ kind, ...data })}\n\n`)
}

/** Begins a stream: a reader that was cut off connects again after this time. */
export const EVENTS_START = encoder.encode('retry: 2000\n\n')
/** A comment: keeps the connection open and tells a reader that control lives. */
export const EVENTS_BEAT = encoder.encode(': beat\n\n')

/** One line of the stream of routes. */
export function toLine(value: object): Uint8Array {
  return encoder.encode(`${JSON.stringify(value)}\n`)
}

/** A blank line: a sign of life on a stream of lines. */
export const LINES_BEAT = encoder.encode('\n')
