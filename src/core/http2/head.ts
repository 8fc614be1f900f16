import { HpackDecoder } from './hpack-decoder.ts'
import type { HpackField } from './hpack-table.ts'

/** The fields of a request, before its body or behind it. */
export interface H2Head {
  /** By name, the pseudo-headers among them; values of one name are joined with commas, cookies with semicolons. */
  readonly headers: Readonly<Record<string, string>>
  /** Of its body, where it is told. */
  readonly contentLength: number | undefined
}

/** A name in lower case (RFC 9113, section 8.2.1). */
const NAME = /^[0-9a-z!#$%&'*+.^_`|~-]+$/
/** Printable, with blanks inside alone (RFC 9113, section 8.2.1). */
const VALUE = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/
/** What the pseudo-headers of a request may be (RFC 9110, section 9.1; RFC 3986, sections 3.1 to 3.3). */
const PSEUDO: ReadonlyMap<string, RegExp> = new Map([
  [':method', /^[\w!#$%&'*+.^`|~-]+$/],
  [':scheme', /^[A-Za-z][A-Za-z0-9+.-]*$/],
  [':path', /^(?:\/[!-~]*|\*)$/],
  [':authority', /^[\w.~!$&'()*+,;=:@[\]%-]*$/],
])
/** They are of HTTP/1.1 (RFC 9113, section 8.2.2). */
const FORBIDDEN: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'],
])
const LENGTH = /^\d{1,15}$/

/** Makes a head of a request's fields; undefined where it is malformed (RFC 9113, sections 8.2 and 8.3). */
export function toH2Head(fields: readonly HpackField[]): H2Head | undefined {
  const headers: Record<string, string> = Object.create(null)
  let isPseudoOver = false
  for (const { name, value } of fields) {
    const isPseudo = name.startsWith(':')
    isPseudoOver ||= !isPseudo
    const before = headers[name]
    if (isPseudo) {
      if (isPseudoOver || before !== undefined || PSEUDO.get(name)?.test(value) !== true) return undefined
      headers[name] = value
      continue
    }
    if (!isRegular(name, value) || (name === 'host' && before !== undefined)) return undefined
    headers[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  const length = headers['content-length']
  if (!isRequest(headers) || (length !== undefined && !LENGTH.test(length))) return undefined
  return { headers, contentLength: length === undefined ? undefined : Number(length) }
}

/** Whether fields may stand behind a body. */
export function isTrailers(fields: readonly HpackField[]): boolean {
  return fields.every(({ name, value }) => isRegular(name, value))
}

function isRegular(name: string, value: string): boolean {
  if (name === 'te') return value === 'trailers'
  return NAME.test(name) && VALUE.test(value) && !FORBIDDEN.has(name)
}

/** Whether all is there that a request has. CONNECT has other things, and no place here. */
function isRequest(headers: H2Head['headers']): boolean {
  const { ':method': method, ':scheme': scheme, ':path': path, ':authority': authority = headers['host'] } = headers
  if (method === undefined || method === 'CONNECT' || scheme === undefined) return false
  return authority !== undefined && path !== undefined && (path !== '*' || method === 'OPTIONS')
}

/** What a block was: the head of a request or `trailers`, which say nothing here; or why it is neither. */
export type ReadH2Head = H2Head | 'trailers' | 'malformed' | 'too-long'

/** Reads the heads of one connection. Who sends mostly sends the same one again, which is not read again. */
export class H2HeadReader {
  readonly #decoder: HpackDecoder
  #last: { readonly block: Buffer; readonly head: H2Head } | undefined

  /** A head is `too-long` above `maxListBytes`: names, values and 32 bytes for each. */
  constructor(maxListBytes: number) {
    this.#decoder = new HpackDecoder(maxListBytes)
  }

  /** Reads the next block. @throws H2Error COMPRESSION_ERROR */
  read(block: Buffer, isTrailing: boolean): ReadH2Head {
    if (!isTrailing && this.#last?.block.equals(block) === true) return this.#last.head
    const { fields, isTooLong, isRepeatable } = this.#decoder.decode(block)
    // What changes the table changes what the last one meant.
    if (!isRepeatable) this.#last = undefined
    if (isTooLong) return 'too-long'
    if (isTrailing) return isTrailers(fields) ? 'trailers' : 'malformed'
    const head = toH2Head(fields)
    // A copy: a view would keep all that came with it.
    if (head !== undefined && isRepeatable) this.#last = { head, block: Buffer.from(block) }
    return head ?? 'malformed'
  }
}
