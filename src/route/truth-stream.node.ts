import { toErrorText } from '../core/errors.ts'
import { openAnswer, type StreamedRequest } from './control-stream.node.ts'
import type { TryResult, UpstreamBounds } from './upstream/exchange.node.ts'

/** How a stream of truths is sent. */
export interface TruthBounds extends UpstreamBounds {
  readonly connectTimeoutMs: number
}

/**
 * Sends a request whose body is still arriving, as fast as it is taken, and takes the whole answer. The time for an
 * answer begins when the body has ended. Never rejects.
 */
export async function sendStream(
  url: string,
  request: StreamedRequest & { readonly chunks: AsyncIterable<Uint8Array> },
  bounds: TruthBounds,
): Promise<TryResult> {
  const late = new AbortController()
  let timer: NodeJS.Timeout | undefined
  async function* untilEnd(): AsyncGenerator<Uint8Array> {
    yield* request.chunks
    timer = setTimeout(() => late.abort(), bounds.timeoutMs)
  }
  const signal = AbortSignal.any(bounds.signal === undefined ? [late.signal] : [late.signal, bounds.signal])
  const { connectTimeoutMs } = bounds
  try {
    const answer = await openAnswer(url, { ...request, chunks: untilEnd() }, { connectTimeoutMs, signal })
    const body = await readWithin(answer, bounds.maxAnswerBytes)
    if (body === undefined) return { kind: 'too-long' }
    return { kind: 'answer', status: answer.statusCode ?? 0, headers: answer.headers, body }
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
