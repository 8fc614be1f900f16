import { createHash, timingSafeEqual } from 'node:crypto'
import type { HttpRequest, HttpResponse } from '../core/http/http.ts'
import { TIMEOUT_HEADER } from '../core/http/timeout.ts'

/** Who may ask for predictions, and from which web pages. */
export interface AccessOptions {
  /** Bearer tokens of scope `predict`; none: whoever reaches the gateway may. */
  readonly tokens: readonly string[]
  /** Origins of pages whose scripts may ask, such as `https://app.example`; `*` is any. None: no page of another origin. */
  readonly origins: readonly string[]
}

/** Decides about requests by their headers alone. */
export interface Access {
  /** Whether requests need a token. */
  readonly isGuarded: boolean
  mayPredict(headers: HttpRequest['headers']): boolean
  /** The answer to a browser that asks in advance; undefined for any other request. */
  toPreflight(request: Pick<HttpRequest, 'method' | 'headers'>): HttpResponse | undefined
  /** What the answer to a page of an origin that may ask has to say; undefined for any other. */
  toCorsHeaders(headers: HttpRequest['headers']): Readonly<Record<string, string>> | undefined
}

const EXPOSED = [
  'x-regatta-prediction',
  'x-regatta-variant',
  'x-regatta-fallback-from',
  'x-regatta-error',
  'inference-header-content-length',
  'retry-after',
  'traceparent',
].join(', ')
const ALLOWED = [
  'authorization',
  'content-type',
  'content-encoding',
  'inference-header-content-length',
  'x-regatta-entity',
  'x-regatta-series',
  'x-regatta-at',
  TIMEOUT_HEADER,
  'traceparent',
  'tracestate',
].join(', ')
const PREFLIGHT_SECONDS = '600'

/** Makes the rules of access. Source of the headers: Fetch Standard, "CORS protocol". */
export function toAccess({ tokens, origins }: AccessOptions): Access {
  const hashes = tokens.map(toHash)
  const toCorsHeaders: Access['toCorsHeaders'] = headers => {
    const { origin } = headers
    if (origin === undefined || !(origins.includes('*') || origins.includes(origin))) return undefined
    return { 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED, vary: 'origin' }
  }
  return {
    isGuarded: tokens.length > 0,
    mayPredict(headers) {
      if (hashes.length === 0) return true
      const given = toHash(/^bearer +(\S+)$/i.exec(headers['authorization'] ?? '')?.[1] ?? '')
      // Every entry is compared: stopping at the first match would tell which one it was.
      return hashes.filter(hash => timingSafeEqual(hash, given)).length > 0
    },
    toPreflight({ method, headers }) {
      if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return undefined
      const cors = toCorsHeaders(headers)
      if (cors === undefined) return undefined
      const allow = {
        'access-control-allow-methods': 'GET, HEAD, POST',
        'access-control-allow-headers': ALLOWED,
        'access-control-max-age': PREFLIGHT_SECONDS,
      }
      return { status: 200, headers: { ...cors, ...allow }, body: new Uint8Array() }
    },
    toCorsHeaders,
  }
}

/** Hashes have one length, which `timingSafeEqual` needs. */
function toHash(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
