/** The status codes of gRPC. Source: grpc/grpc doc/statuscodes.md and `google.rpc.Code`. */
export const GRPC_CODES = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const satisfies Record<string, number>

/** The name of a status code. */
export type GrpcStatus = keyof typeof GRPC_CODES

/** Metadata by lower-case names; several values of one name are joined with commas, `-bin` values are base64. */
export type GrpcMetadata = Readonly<Record<string, string | undefined>>

/** What is known of a call before its message is read. */
export interface GrpcRequestHead {
  /** `/package.Service/Method` */
  readonly path: string
  /** Without the names that belong to the transport (`:path`, `content-type`, `te`, `grpc-timeout`, …). */
  readonly metadata: GrpcMetadata
  /** When the client stops waiting, epoch ms. */
  readonly deadlineAt: number | undefined
}

/** One call, whatever carried it. */
export interface GrpcRequest extends GrpcRequestHead {
  /** Serialised and not compressed; may be a view of a larger buffer. Empty where the call takes many. */
  readonly message: Uint8Array
  /** The messages of a call that takes many: each is received when it is asked for. None where it takes one. */
  readonly messages?: AsyncIterable<Uint8Array>
  /** Aborts when the client goes away or its deadline passes; the reason is a `GrpcError`. */
  readonly signal: AbortSignal
}

/** The answer to a call. Messages of an iterable are streamed with back-pressure; it is ended when the client leaves. */
export interface GrpcReply {
  readonly message: Uint8Array | AsyncIterable<Uint8Array>
  /** Sent before the first message. */
  readonly metadata?: GrpcMetadata
  /** Sent after the last message; a function is called then. */
  readonly trailers?: GrpcMetadata | (() => GrpcMetadata)
}

/** Answers a call. A thrown `GrpcError` is the answer; any other error is a bug and becomes UNKNOWN without its text. */
export type GrpcHandler = (request: GrpcRequest) => Promise<GrpcReply> | GrpcReply

/** A call that did not succeed; status, message and trailers go to the client. */
export class GrpcError extends Error {
  readonly status: Exclude<GrpcStatus, 'OK'>
  readonly trailers: GrpcMetadata

  constructor(
    status: Exclude<GrpcStatus, 'OK'>,
    message: string,
    more: { trailers?: GrpcMetadata; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause })
    this.name = 'GrpcError'
    this.status = status
    this.trailers = more.trailers ?? {}
  }
}
