import { RegattaError } from '../core/errors.ts'
import type { HttpRequest, HttpResponse } from '../core/http/http.ts'
import { openAnswer } from './control-stream.node.ts'
import { toClientHeaders } from './headers.ts'
import type { Limits } from './limits.ts'
import { sendStream } from './truth-stream.node.ts'
import type { TryResult } from './upstream/exchange.node.ts'
import { type PoolOptions, UpstreamPool } from './upstream/pool.node.ts'

/**
 * What became of a batch of records.
 * - `stored`: control has all of it.
 * - `refused`: control will never take it.
 * - `away`: control could not be asked, or cannot take it now.
 */
export type HandOver = { readonly kind: 'stored' } | { readonly kind: 'refused' | 'away'; readonly reason: string }

/** Control as the gateway knows it. */
export interface Control {
  /** Hands over a batch (JSON). Never rejects. */
  sendRecords(batch: string, signal: AbortSignal): Promise<HandOver>
  /** Passes truths on, a stream as it arrives, with the caller's own token; undefined where control cannot be asked. Never rejects. */
  sendTruths(request: HttpRequest): Promise<HttpResponse | undefined>
  /** The lines of the stream of routes, until the signal. Rejects where it breaks. */
  streamRoutes(signal: AbortSignal): AsyncIterable<string>
  close(): Promise<void>
}

/** Where control is and how to ask it. */
export interface ControlOptions {
  /** Base URL; only its origin counts. */
  readonly url: string
  /** Bearer of scope `gateway`. */
  readonly token: string
  readonly limits: Pick<Limits, 'controlTimeoutMs' | 'controlSilenceMs'>
}

const POOL = { maxConnections: 16, connectTimeoutMs: 2_000, maxHeadBytes: 16 * 1024 } as const satisfies PoolOptions
const MAX_ANSWER_BYTES = 64 * 1024
const MAX_LINE_CHARS = 16 * 1024 * 1024
/** A batch that control answers so is wrong in itself; any other answer may change. */
const NEVER = new Set([400, 413, 422])

/** Makes the client of control. Connects when first asked. */
export function openControl({ url, token, limits }: ControlOptions): Control {
  const pool = new UpstreamPool(url, POOL)
  const { connectTimeoutMs } = POOL
  const authorization = `Bearer ${token}`
  const bounds = { timeoutMs: limits.controlTimeoutMs, maxAnswerBytes: MAX_ANSWER_BYTES }
  return {
    async sendRecords(batch, signal) {
      const headers = { authorization, 'content-type': 'application/json' }
      const body = Buffer.from(batch)
      const request = { method: 'POST', target: '/api/v1/records', headers, body }
      return toHandOver(await pool.send(request, { ...bounds, signal }))
    },
    async sendTruths(incoming) {
      const { method, query, body, chunks, signal } = incoming
      const target = query.size === 0 ? '/truth' : `/truth?${query}`
      const request = { method, target, headers: toTruthHeaders(incoming.headers) }
      const result =
        chunks === undefined
          ? await pool.send({ ...request, body }, { ...bounds, signal })
          : await sendStream(url, { ...request, chunks }, { ...bounds, connectTimeoutMs, signal })
      if (result.kind !== 'answer') return undefined
      return { status: result.status, headers: toClientHeaders(result.headers, false), body: result.body }
    },
    async *streamRoutes(signal) {
      const request = { method: 'GET', target: '/api/v1/routes?watch=1', headers: { authorization } }
      const answer = await openAnswer(url, request, { connectTimeoutMs, silenceMs: limits.controlSilenceMs, signal })
      if (answer.statusCode === 200) return yield* readLines(answer)
      answer.destroy()
      throw new RegattaError('ROUTES_STREAM', `Cannot follow the routes: control answered ${answer.statusCode}`)
    },
    async close() {
      await pool.destroy()
    },
  }
}

function toHandOver(result: TryResult): HandOver {
  if (result.kind === 'answer') {
    if (result.status === 200) return { kind: 'stored' }
    const reason = `control answered ${result.status}: ${Buffer.from(result.body).toString('utf8', 0, 500)}`
    return { kind: NEVER.has(result.status) ? 'refused' : 'away', reason }
  }
  return { kind: 'away', reason: 'reason' in result ? result.reason : result.kind }
}

/** What control needs to read truths, and the right of the caller to report them, which is not the gateway's. */
function toTruthHeaders(headers: HttpRequest['headers']): Record<string, string> {
  const passed = ['authorization', 'content-type', 'accept', 'traceparent'].flatMap(name => {
    const value = headers[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(passed)
}

async function* readLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE_CHARS)
      throw new RegattaError('ROUTES_STREAM', `Cannot follow the routes: a line is longer than ${MAX_LINE_CHARS}`)
    for (const line of lines) if (line.trim() !== '') yield line
  }
}
