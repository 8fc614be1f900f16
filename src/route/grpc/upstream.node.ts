import type { GrpcChannel } from '../../core/grpc/client.node.ts'
import { GrpcError, type GrpcMetadata, type GrpcStatus } from '../../core/grpc/grpc.ts'
import type { GrpcOutgoing, GrpcResult } from '../../core/grpc/result.ts'
import type { TryResult, UpstreamBounds } from '../upstream/exchange.node.ts'
import { toHttpStatus } from './status.ts'

/** One call as it goes to a replica; its body is the message, serialised. */
export interface GrpcUpstreamRequest extends Omit<GrpcOutgoing, 'message'> {
  readonly body: Uint8Array
}

/** What an answer of gRPC ended with. */
export interface GrpcEnd {
  readonly status: GrpcStatus
  readonly text: string
  readonly trailers: GrpcMetadata
}

/** Sends a call once and takes the whole answer; the replica is always told how long it is waited for. Never rejects. */
export async function sendGrpcOnce(
  channel: GrpcChannel,
  { path, metadata, body }: GrpcUpstreamRequest,
  { timeoutMs, signal }: UpstreamBounds,
): Promise<TryResult> {
  const result = await channel.call(path, metadata, body, { deadlineMs: timeoutMs, signal })
  return toResult(result, signal)
}

/** What a result means for a try; `signal` is the client's. */
export function toResult(result: GrpcResult, signal: AbortSignal | undefined): TryResult {
  return result.isAnswer ? toAnswer(result) : toFailure(result, signal)
}

/** What it means that the client does not wait any more: it left, or its deadline has passed. */
export function toGone(signal: AbortSignal): TryResult {
  const isLate = signal.reason instanceof GrpcError && signal.reason.status === 'DEADLINE_EXCEEDED'
  return { kind: isLate ? 'timeout' : 'gone' }
}

function toAnswer({ status, statusText: text, message, metadata, trailers }: GrpcResult): TryResult {
  // The replica was told the limit, and may notice first that it is reached.
  if (status === 'DEADLINE_EXCEEDED') return { kind: 'timeout' }
  return {
    kind: 'answer',
    status: toHttpStatus(status),
    headers: metadata,
    body: status === 'OK' ? message : Buffer.from(text),
    grpc: { status, text, trailers },
  }
}

function toFailure({ status, statusText: reason, wasSent }: GrpcResult, signal: AbortSignal | undefined): TryResult {
  if (signal?.aborted) return toGone(signal)
  if (status === 'DEADLINE_EXCEEDED') return { kind: 'timeout' }
  if (status === 'RESOURCE_EXHAUSTED' && wasSent) return { kind: 'too-long' }
  return status === 'INTERNAL' && !wasSent ? { kind: 'unsendable', reason } : { kind: 'lost', sent: wasSent, reason }
}
