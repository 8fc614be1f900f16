import { parseField } from '../../core/http/fields.ts'

/** The head of a replica's answer. Header names are lower-case; those that stand more than once have a list. */
export interface AnswerHead {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  /** How the end of the body is found: so many bytes, the last chunk, or the end of the connection. */
  readonly framing: number | 'chunked' | 'close'
  /** How long the connection may be idle afterwards and still be used, ms; 0: it ends with this answer. */
  readonly keepMs: number
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const LENGTH = /^\d{1,15}$/
const TIMEOUT = /(?:^|[\s,])timeout=(\d{1,6})/i

/** Of a server that does not say how long it keeps an idle connection: most do for 5 s and more. */
const USUAL_KEEP_MS = 4_000
/** A server may close this much earlier than it says, seen from here. */
const MARGIN_MS = 1_000

/**
 * Reads a head, without the empty line behind it. Strict: what servers and proxies are known to read in different ways
 * (RFC 9112, section 11.2) is a problem, and so is what changes the protocol.
 */
export function parseAnswerHead(text: string): AnswerHead | { readonly problem: string } {
  const lines = text.split('\r\n')
  const [, minor, status] = STATUS_LINE.exec(lines[0] ?? '') ?? []
  if (status === undefined) return { problem: 'the answer begins with no status line of HTTP/1.1' }
  if (status === '101') return { problem: 'the answer changes the protocol' }
  const headers: Record<string, string | string[]> = {}
  for (let at = 1; at < lines.length; at += 1) {
    const field = parseField(lines[at] ?? '')
    if (field === undefined) return { problem: 'a line of the answer’s head is no header' }
    const { name, value } = field
    const before = headers[name]
    if (before === undefined) headers[name] = value
    else if (typeof before === 'string') headers[name] = [before, value]
    else if (Array.isArray(before)) before.push(value)
    else return { problem: 'a header of the answer has a name that none should have' }
  }
  const framing = toFraming(headers, minor === '1')
  if (typeof framing === 'object') return framing
  return { status: Number(status), headers, framing, keepMs: minor === '1' ? toKeepMs(headers) : 0 }
}

/** Source: RFC 9112, section 6.3. */
function toFraming(
  headers: AnswerHead['headers'],
  isNew: boolean,
): AnswerHead['framing'] | { readonly problem: string } {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers
  if (encoding !== undefined) {
    const isClear = isNew && length === undefined && String(encoding).toLowerCase() === 'chunked'
    return isClear ? 'chunked' : { problem: 'the answer does not say clearly where its body ends' }
  }
  if (length === undefined) return 'close'
  if (typeof length !== 'string' || !LENGTH.test(length))
    return { problem: 'the answer does not say clearly how long its body is' }
  return Number(length)
}

function toKeepMs({ connection, 'keep-alive': keepAlive }: AnswerHead['headers']): number {
  if (connection !== undefined && /(?:^|[\s,])close(?:$|[\s,])/i.test(String(connection))) return 0
  const [, seconds] = TIMEOUT.exec(String(keepAlive)) ?? []
  return seconds === undefined ? USUAL_KEEP_MS : Math.max(0, Number(seconds) * 1000 - MARGIN_MS)
}
