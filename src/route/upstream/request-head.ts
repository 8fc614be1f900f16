import { isToken, toFieldLine } from '../../core/http/fields.ts'
import { TIMEOUT_HEADER } from '../../core/http/timeout.ts'

/** One request as it goes to another server; `target` is the path with its query. */
export interface UpstreamRequest {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

const TARGET = /^\/[\x21-\x7e\x80-\xff]*$/
/** These have a body, be it an empty one. */
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/**
 * Words the head of a request, with the empty line behind it, in characters of one byte. `timeoutMs` is told where the
 * server shall know how long it is waited for. Nothing in it can be read as another header or another request.
 */
export function toRequestHead(
  { method, target, headers, body }: UpstreamRequest,
  host: string,
  timeoutMs: number | undefined,
): string | { readonly problem: string } {
  if (!isToken(method) || !TARGET.test(target))
    return { problem: `expected a method and a path, found ${JSON.stringify(`${method} ${target}`.slice(0, 200))}` }
  let text = `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\n`
  for (const name in headers) {
    const line = toFieldLine(name, headers[name] ?? '')
    if (line === undefined) return { problem: `HTTP cannot carry the header ${JSON.stringify(name.slice(0, 200))}` }
    text += line
  }
  if (timeoutMs !== undefined) text += `${TIMEOUT_HEADER}: ${Math.floor(timeoutMs)}\r\n`
  if (body.byteLength > 0 || WITH_BODY.has(method)) text += `content-length: ${body.byteLength}\r\n`
  return `${text}\r\n`
}
