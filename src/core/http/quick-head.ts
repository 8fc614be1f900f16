import { parseField } from './fields.ts'

/** The head of a request in the plain form that most clients send. Header names are lower-case. */
export interface QuickHead {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly bodyBytes: number
}

const REQUEST_LINE = /^(GET|POST) (\/[\w.~:/?[\]@!$&'()*+,;=%-]*) HTTP\/1\.1$/
/** Bytes above 127 stand for one thing here and for another there. */
const ASCII = /^[\t\r\n\x20-\x7e]*$/
const LENGTH = /^(0|[1-9]\d{0,14})$/

/** These change how a message is read, or what its connection is used for. */
const UNUSUAL: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'expect',
  'upgrade',
  'trailer',
  'proxy-connection',
  'http2-settings',
])

/**
 * Reads a head, without the empty line behind it. Undefined for any that is not of the plain form: what is read here is
 * read the same by every parser of HTTP/1.1 (RFC 9112), each line ends with CRLF, each name stands once, and the length of
 * the body is said in one way. Whatever is not, a larger parser decides about.
 */
export function parseQuickHead(text: string): QuickHead | undefined {
  if (!ASCII.test(text)) return undefined
  const lines = text.split('\r\n')
  const [, method, target] = REQUEST_LINE.exec(lines[0] ?? '') ?? []
  if (method === undefined || target === undefined) return undefined
  const headers: Record<string, string> = {}
  for (let at = 1; at < lines.length; at += 1) {
    const field = parseField(lines[at] ?? '')
    if (field === undefined || UNUSUAL.has(field.name)) return undefined
    // Twice, or the name of something that every object has.
    if (headers[field.name] !== undefined) return undefined
    headers[field.name] = field.value
  }
  const { host, connection = 'keep-alive', 'content-length': length = '0' } = headers
  if (host === undefined || connection.toLowerCase() !== 'keep-alive' || !LENGTH.test(length)) return undefined
  const query = target.indexOf('?')
  const path = query === -1 ? target : target.slice(0, query)
  return { method, target, path, headers, bodyBytes: Number(length) }
}
