/** A place in a trace: the span that whatever comes next is a child of. */
export interface TraceContext {
  /** 32 lower-case hexadecimal digits, not all 0. */
  readonly traceId: string
  /** 16 lower-case hexadecimal digits, not all 0. */
  readonly spanId: string
  /** Whether the spans of this trace are kept somewhere. */
  readonly isSampled: boolean
}

/** Gives so many random bytes. */
export type RandomBytes = (length: number) => Uint8Array

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/**
 * Reads a `traceparent` header; anything but the exact form is as good as none, and a new trace begins.
 *
 * Source: W3C Trace Context, section 3.2 (version 00 is exactly 55 characters; later ones may add fields; ff is none).
 */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  const found = TRACEPARENT.exec(header ?? '')
  if (found === null) return undefined
  const [, version = '', traceId = '', spanId = '', flags = '', more] = found
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

/** Writes a `traceparent` header. Of the flags, only "sampled" is ours to tell. */
export function toTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`
}

/** A new span below a context, or of a new trace that is sampled or not. */
export function toChildContext(
  parent: TraceContext | { readonly isSampled: boolean },
  random: RandomBytes,
): TraceContext {
  const traceId = 'traceId' in parent ? parent.traceId : toId(random, 16)
  return { traceId, spanId: toId(random, 8), isSampled: parent.isSampled }
}

/** Zeros alone would be no id. */
function toId(random: RandomBytes, length: number): string {
  const bytes = random(length)
  return Buffer.from(bytes.every(byte => byte === 0) ? bytes.with(0, 1) : bytes).toString('hex')
}
