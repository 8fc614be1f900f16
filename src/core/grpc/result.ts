import type { H2Reset } from '../http2/stream.ts'
import { GrpcError, type GrpcMetadata, type GrpcStatus } from './grpc.ts'

/** One call as it goes to a server. */
export interface GrpcOutgoing {
  readonly path: string
  readonly metadata: GrpcMetadata
  readonly message: Uint8Array
}

/** What came of a call. */
export interface GrpcResult {
  readonly status: GrpcStatus
  readonly statusText: string
  /** Empty where the status is not OK. */
  readonly message: Uint8Array
  readonly metadata: GrpcMetadata
  readonly trailers: GrpcMetadata
  /** Whether the server may have begun the call. Where it has not, the call may safely be sent again. */
  readonly wasSent: boolean
  /** Whether the status is the server's own word, and not made here of what became of the connection. */
  readonly isAnswer: boolean
}

/** An answer of many messages that has begun. */
export interface GrpcStreaming {
  readonly metadata: GrpcMetadata
  /** To be read or left: a call that is neither lasts until its deadline. Ends with a `GrpcError` where the status is not OK. */
  readonly messages: AsyncIterable<Uint8Array>
  /** What came after the last message. */
  readonly trailers: () => GrpcMetadata
}

/** A status and what to say of it. */
export interface GrpcCause {
  readonly status: Exclude<GrpcStatus, 'OK'>
  readonly text: string
}

const NOTHING = { message: new Uint8Array(0), metadata: {}, trailers: {} } as const

/** The result of a call that was given up or lost on this side. */
export function toFailed(cause: GrpcCause, wasSent: boolean, metadata: GrpcMetadata = {}): GrpcResult {
  return { ...NOTHING, metadata, status: cause.status, statusText: cause.text, wasSent, isAnswer: false }
}

/** The error of a result that is not OK. */
export function toGrpcError({ status, statusText, trailers }: GrpcResult): GrpcError {
  return new GrpcError(status === 'OK' ? 'UNKNOWN' : status, statusText, { trailers })
}

/** Statuses of answers that are not gRPC. Source: grpc/grpc doc/http-grpc-status-mapping.md. */
const HTTP_STATUSES: Readonly<Record<number, GrpcCause['status']>> = {
  400: 'INTERNAL',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'UNIMPLEMENTED',
  429: 'UNAVAILABLE',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'UNAVAILABLE',
}

/** What an answer means that is not gRPC; undefined where it is. */
export function toHttpCause(status: number, contentType: string | undefined): GrpcCause | undefined {
  if (status !== 200)
    return { status: HTTP_STATUSES[status] ?? 'UNKNOWN', text: `The server answered with HTTP ${status}` }
  if (contentType?.startsWith('application/grpc')) return undefined
  return { status: 'UNKNOWN', text: `The server answered with content-type "${contentType ?? ''}"` }
}

/** Statuses of streams that the server resets, by HTTP/2 error code. Source: PROTOCOL-HTTP2.md, "Errors". */
const RESET_STATUSES: Readonly<Record<number, GrpcCause['status']>> = {
  7: 'UNAVAILABLE',
  8: 'CANCELLED',
  11: 'RESOURCE_EXHAUSTED',
  12: 'PERMISSION_DENIED',
}

/** What it means that a call's stream ended before its time, or without a status. */
export function toResetCause(reset: H2Reset | undefined): GrpcCause {
  if (reset?.by === 'goaway') return { status: 'UNAVAILABLE', text: 'The server goes away' }
  const { by, code } = reset ?? NO_STATUS
  const what = by === 'own' ? 'The answer is no HTTP/2: it was refused' : 'The server reset the call'
  return { status: RESET_STATUSES[code] ?? 'INTERNAL', text: `${what} with HTTP/2 code ${code}` }
}

const NO_STATUS = { by: 'peer', code: 0 } as const
