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

/**
 * The headers of a request as they go to a replica. `recorded` leaves out `accept-encoding`: the answer is read for
 * the records, and a server may always answer unencoded (RFC 9110, section 12.5.3).
 */
export function toReplicaHeaders(
  headers: Readonly<Record<string, string | undefined>>,
  recorded: boolean,
): Record<string, string> {
  const kept = toEndToEnd(headers)
  if (recorded) delete kept['accept-encoding']
  return kept
}

/** The headers of a replica's answer as they go to the client. */
export function toClientHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  isHead: boolean,
): Record<string, string> {
  const length = headers['content-length']
  return { ...toEndToEnd(headers), ...(isHead && typeof length === 'string' ? { 'content-length': length } : {}) }
}

function toEndToEnd(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Record<string, string> {
  const named =
    headers['connection'] === undefined
      ? []
      : String(headers['connection'])
          .toLowerCase()
          .split(/\s*,\s*/)
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || OF_THE_CONNECTION.has(name) || named.includes(name)) continue
    kept[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return kept
}
