import type { HttpCase, WireCase } from './case.ts'
import type { HttpAnswer } from './clients/answer-reader.ts'
import type { CallEnd } from './clients/grpc.ts'
import type { WireEnd } from './clients/http.ts'

/** What HTTP has for a request that cannot be answered: its own statuses, those for what a server lacks, and no other. */
const REFUSALS: ReadonlySet<number> = new Set([
  400, 401, 403, 404, 405, 408, 409, 411, 413, 414, 415, 417, 429, 431, 501, 505,
])

/** Errors are for people to read, not for forwarding whole requests. */
export const MAX_ERROR_BYTES = 8 * 1024

/** What is wrong with the answer to a request that is well framed; undefined where it is right. */
export function judgeHttp({ method, target }: HttpCase, answer: HttpAnswer): string | undefined {
  const { status } = answer
  if (status >= 200 && status < 300) return undefined
  if (!REFUSALS.has(status)) return `status ${status}: ${answer.body.subarray(0, 500)}`
  // Node's own, of a head that it cannot read; and browsers', which read statuses alone.
  const isUnread = answer.headers.get('connection') === 'close' && answer.body.length === 0
  if (method === 'HEAD' || isUnread) return undefined
  return judgeErrorBody(target, answer)
}

/** Each protocol's form: `{"error": text}`, but MLflow's has a code and a message. */
function judgeErrorBody(target: string, { status, headers, body }: HttpAnswer): string | undefined {
  if (body.length > MAX_ERROR_BYTES) return `an error of ${body.length} bytes (status ${status})`
  if (headers.get('content-type') !== 'application/json')
    return `an error of type ${headers.get('content-type')} (status ${status})`
  const found = parseObject(body)
  const isMlflow = target.split('?', 1)[0] === '/invocations'
  const text = found?.['error'] ?? (isMlflow ? found?.['message'] : undefined)
  if (typeof text === 'string' && text !== '') return undefined
  return `an error in another form (status ${status}): ${body.subarray(0, 300)}`
}

function parseObject(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Record<string, unknown>
  } catch {
    return undefined
  }
}

/** What is wrong with how bytes on a connection of their own ended. */
export function judgeWire({ wanted }: WireCase, { answers }: WireEnd): string | undefined {
  const bad = answers.find(({ status }) => status >= 300 && !REFUSALS.has(status))
  if (bad !== undefined) return `status ${bad.status}: ${bad.body.subarray(0, 500)}`
  const taken = answers.find(({ status }) => status < 300)
  if (wanted === 'refused' && taken !== undefined) return `answered with ${taken.status}, expected a refusal`
  return wanted === 'refused' && answers.length > 1 ? `${answers.length} answers to one refused request` : undefined
}

/** Statuses that say of a call that it is at fault. */
const CALL_REFUSALS: ReadonlySet<string> = new Set([
  ...[
    'OK',
    'INVALID_ARGUMENT',
    'NOT_FOUND',
    'FAILED_PRECONDITION',
    'OUT_OF_RANGE',
    'UNIMPLEMENTED',
    'PERMISSION_DENIED',
  ],
  ...['RESOURCE_EXHAUSTED', 'UNAUTHENTICATED'],
])

/** Transports word some of their own so: a prefix, a compression or a timeout that cannot be read (grpc/doc/statuscodes.md). */
const FRAMING_REFUSALS: ReadonlySet<string> = new Set(['INTERNAL', 'DEADLINE_EXCEEDED'])

/** What is wrong with the end of a call; `family` tells whether its framing was what is wrong. */
export function judgeCall(family: string, { http, status, text, rstCode }: CallEnd): string | undefined {
  if (status === undefined) {
    // What is no gRPC call gets a status of HTTP; what is no HTTP/2 request is reset.
    const isRefused = http === undefined ? rstCode !== 0 : http >= 400 && http < 500
    return family !== 'protobuf' && isRefused ? undefined : `no status: HTTP ${http}, reset with ${rstCode}`
  }
  if (CALL_REFUSALS.has(status)) return undefined
  if (family !== 'protobuf' && FRAMING_REFUSALS.has(status)) return undefined
  return `${status}: ${text}`
}
