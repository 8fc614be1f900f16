import { Readable } from 'node:stream'
import type { Pool } from 'undici'
import { toErrorText } from '../core/errors.ts'
import type { TryResult, UpstreamBounds, UpstreamRequest } from './upstream.node.ts'

/** A request whose body goes on as it arrives. */
export interface StreamedRequest extends Omit<UpstreamRequest, 'body'> {
  readonly chunks: AsyncIterable<Uint8Array>
}

/**
 * Sends a request whose body is still arriving, as fast as it is taken, and takes the whole answer. The time for an
 * answer begins when the body has ended. Never rejects.
 */
export async function sendStream(pool: Pool, request: StreamedRequest, bounds: UpstreamBounds): Promise<TryResult> {
  const { method, target: path, headers, chunks } = request
  const late = new AbortController()
  let timer: NodeJS.Timeout | undefined
  async function* untilEnd(): AsyncGenerator<Uint8Array> {
    yield* chunks
    timer = setTimeout(() => late.abort(), bounds.timeoutMs)
  }
  const signal = AbortSignal.any(bounds.signal === undefined ? [late.signal] : [late.signal, bounds.signal])
  // Without its own limits: undici would count the time that the client takes to send.
  const limits = { headersTimeout: 0, bodyTimeout: bounds.timeoutMs, signal }
  try {
    const body = Readable.from(untilEnd(), { objectMode: false })
    const answer = await pool.request({ method, path, headers, body, ...limits })
    const text = await readWithin(answer.body, bounds.maxAnswerBytes)
    if (text === undefined) return { kind: 'too-long' }
    return { kind: 'answer', status: answer.statusCode, headers: answer.headers, body: text }
  } catch (error) {
    if (late.signal.aborted) return { kind: 'timeout' }
    return bounds.signal?.aborted ? { kind: 'gone' } : { kind: 'lost', sent: true, reason: toErrorText(error) }
  } finally {
    clearTimeout(timer)
  }
}

async function readWithin(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.byteLength
    if (length > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
