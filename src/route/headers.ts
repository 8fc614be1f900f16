import { TIMEOUT_HEADER } from '../core/http/timeout.ts'

// RFC 9110, section 7.6.1: these belong to one connection. `host` and `content-length` are written anew;
// `expect` was answered by this server already.
const OF_THE_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'expect',
])

// W3C Trace Context, section 3.2: version, trace id, parent id, flags.
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * The headers of a request as they go to a replica. The time limit is told anew with every try, and the token with
 * which the gateway let the request in (`isGuarded`) is not the replica's business.
 */
export function toReplicaHeaders(headers: Headers, isGuarded: boolean): Record<string, string> {
  const kept = toEndToEnd(headers)
  delete kept[TIMEOUT_HEADER]
  if (isGuarded) delete kept['authorization']
  return kept
}

/** The headers of a replica's answer as they go to the client. */
export function toClientHeaders(headers: Headers, isHead: boolean): Record<string, string> {
  const kept = toEndToEnd(headers)
  const length = headers['content-length']
  if (isHead && typeof length === 'string') kept['content-length'] = length
  return kept
}

/** The trace that a request belongs to, as its answer repeats it; undefined where it names none. */
export function toTrace(headers: Headers): string | undefined {
  const trace = headers['traceparent']
  return typeof trace === 'string' && TRACEPARENT.test(trace) ? trace : undefined
}

function toEndToEnd(headers: Headers): Record<string, string> {
  const connection = headers['connection']
  const named =
    connection === undefined || connection === 'keep-alive' || connection === 'close' ? [] : toNames(connection)
  const kept: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || OF_THE_CONNECTION.has(name) || named.includes(name)) continue
    kept[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return kept
}

function toNames(connection: string | readonly string[]): readonly string[] {
  return String(connection)
    .toLowerCase()
    .split(/\s*,\s*/)
}
