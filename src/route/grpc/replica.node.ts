import type { GrpcChannel } from '../../core/grpc/client.node.ts'
import type { GrpcStreaming } from '../../core/grpc/result.ts'
import { ENDS_WITH_ERROR } from '../../tensor/index.ts'
import { AnswerStream, type AnswersKept } from '../upstream/answer-stream.node.ts'
import type { TryResult, UpstreamBounds } from '../upstream/exchange.node.ts'
import { INFER_PATH, INFER_STREAM_PATH } from './calls.ts'
import { toHttpStatus } from './status.ts'
import { type GrpcUpstreamRequest, sendGrpcOnce, toResult } from './upstream.node.ts'

/** The gRPC port of a replica. A message of a stream is a stream of its own there, or a call where it knows no streams. */
export class GrpcReplica {
  readonly #channel: GrpcChannel
  readonly #kept: AnswersKept
  #knowsStreams = true

  constructor(channel: GrpcChannel, kept: AnswersKept) {
    this.#channel = channel
    this.#kept = kept
  }

  /** Sends a call once. The result of a stream is there with its first answer. Never rejects. */
  async send(request: GrpcUpstreamRequest, bounds: UpstreamBounds): Promise<TryResult> {
    if (request.path !== INFER_STREAM_PATH) return await sendGrpcOnce(this.#channel, request, bounds)
    const streamed = this.#knowsStreams ? await sendStreamOnce(this.#channel, request, bounds, this.#kept) : undefined
    if (streamed !== undefined && !isUnknown(streamed)) return streamed
    const called = await sendGrpcOnce(this.#channel, { ...request, path: INFER_PATH }, bounds)
    // A replica may say so of one request alone.
    if (called.kind === 'answer' && called.status === 200) this.#knowsStreams = false
    return streamed !== undefined && isUnknown(called) ? streamed : called
  }

  /** Refuses new calls, lets those there are end for up to `drainMs`, then breaks them. */
  async close(drainMs: number): Promise<void> {
    await this.#channel.close(drainMs)
  }
}

function isUnknown(result: TryResult): boolean {
  return result.kind === 'answer' && result.grpc?.status === 'UNIMPLEMENTED'
}

async function sendStreamOnce(
  channel: GrpcChannel,
  { path, metadata, body }: GrpcUpstreamRequest,
  { timeoutMs, signal }: UpstreamBounds,
  kept: AnswersKept,
): Promise<TryResult> {
  const call = new AbortController()
  const cancel = (): void => call.abort()
  signal?.addEventListener('abort', cancel, { once: true })
  if (signal?.aborted) cancel()
  const late = new AbortController()
  const timer = setTimeout(() => {
    late.abort()
    cancel()
  }, timeoutMs)
  try {
    // A failure has its status then, as that of a call has.
    const sent = { ...metadata, [ENDS_WITH_ERROR]: 'true' }
    const begun = await channel.stream(path, sent, body, { signal: call.signal })
    const result =
      'messages' in begun
        ? await openAnswers(begun, new AnswerStream(begun.messages, cancel, { ...kept, signal }))
        : toResult(begun, signal)
    return late.signal.aborted && result.kind !== 'answer' ? { kind: 'timeout' } : result
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', cancel)
  }
}

async function openAnswers({ metadata: headers }: GrpcStreaming, answers: AnswerStream): Promise<TryResult> {
  try {
    const text = await answers.open()
    const grpc = { status: text === undefined ? 'OK' : 'UNKNOWN', text: text ?? '', trailers: {} } as const
    return { kind: 'answer', status: toHttpStatus(grpc.status), headers, body: Buffer.from(grpc.text), grpc, answers }
  } catch {
    // Why it broke is told there.
    return await answers.over
  }
}
