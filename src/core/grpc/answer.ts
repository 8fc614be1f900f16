import { encodeHpack } from '../http2/hpack-encoder.ts'
import type { H2Part } from '../http2/stream.ts'
import { GRPC_ENCODINGS } from './encoding.ts'
import { toGrpcFrame } from './frames.ts'
import { GRPC_CODES, type GrpcError, type GrpcMetadata, type GrpcReply } from './grpc.ts'
import { encodeGrpcMessage, toGrpcHeaders } from './headers.ts'

const toBlock = (fields: Readonly<Record<string, string>>): H2Part => ({ kind: 'block', bytes: encodeHpack(fields) })

const ENCODINGS = { 'grpc-accept-encoding': GRPC_ENCODINGS } as const
const HEAD_FIELDS = { ':status': '200', 'content-type': 'application/grpc' } as const
const GZIP_HEAD_FIELDS = { ...HEAD_FIELDS, 'grpc-encoding': 'gzip', ...ENCODINGS } as const
const OK_FIELDS = { 'grpc-status': '0' } as const
/** What almost every answer has. */
const HEAD = toBlock(HEAD_FIELDS)
const OK = toBlock(OK_FIELDS)

/** What begins an answer of messages. @throws TypeError where HTTP cannot carry the metadata */
export function toHeadPart(metadata: GrpcMetadata | undefined, isCompressed: boolean): H2Part {
  if (metadata === undefined && !isCompressed) return HEAD
  return toBlock({ ...(isCompressed ? GZIP_HEAD_FIELDS : HEAD_FIELDS), ...toGrpcHeaders(metadata ?? {}) })
}

/** One message of an answer. */
export function toMessageParts(message: Uint8Array, isCompressed: boolean): readonly H2Part[] {
  const [first, second] = toGrpcFrame(message, isCompressed)
  const part = { kind: 'data', bytes: first } as const
  return second === undefined ? [part] : [part, { kind: 'data', bytes: second }]
}

/** What ends an answer of messages with OK. @throws TypeError where HTTP cannot carry the trailers */
export function toOkPart(trailers: GrpcReply['trailers']): H2Part {
  if (trailers === undefined) return OK
  return toBlock({ ...toGrpcHeaders(typeof trailers === 'function' ? trailers() : trailers), ...OK_FIELDS })
}

/** What ends a call with an error, after its head or without one. @throws TypeError where HTTP cannot carry its trailers */
export function toErrorPart(error: GrpcError, isHeadSent: boolean): H2Part {
  return toBlock({
    ...(isHeadSent ? {} : { ...HEAD_FIELDS, ...ENCODINGS }),
    ...toGrpcHeaders(error.trailers),
    'grpc-status': String(GRPC_CODES[error.status]),
    'grpc-message': encodeGrpcMessage(error.message),
  })
}

/** The whole answer to what is not gRPC. */
export function toStatusPart(status: number): H2Part {
  return toBlock({ ':status': String(status) })
}
