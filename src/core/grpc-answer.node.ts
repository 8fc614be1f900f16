import { constants, type ServerHttp2Stream } from 'node:http2'
import { GRPC_CODES, type GrpcError, type GrpcMetadata, type GrpcReply } from './grpc.ts'
import { GRPC_ENCODINGS } from './grpc-encoding.ts'
import { toGrpcFrame } from './grpc-frames.ts'
import { encodeGrpcMessage, toGrpcHeaders } from './grpc-headers.ts'

const HEAD = { ':status': 200, 'content-type': 'application/grpc' } as const
const GZIP_HEAD = { ...HEAD, 'grpc-encoding': 'gzip', 'grpc-accept-encoding': GRPC_ENCODINGS } as const
const OK = { 'grpc-status': '0' } as const
const WITH_TRAILERS = { waitForTrailers: true, sendDate: false } as const
const HEAD_ONLY = { endStream: true, sendDate: false } as const

/** Begins an answer of messages. */
export function sendHead(stream: ServerHttp2Stream, metadata: GrpcMetadata | undefined, compressed = false): void {
  const head = compressed ? GZIP_HEAD : HEAD
  stream.respond(metadata === undefined ? head : { ...head, ...toGrpcHeaders(metadata) }, WITH_TRAILERS)
}

/** Sends one message of an answer. Returns whether the client takes more. */
export function sendMessage(stream: ServerHttp2Stream, message: Uint8Array): boolean {
  const [first, second] = toGrpcFrame(message)
  if (second === undefined) return stream.write(first)
  stream.cork()
  stream.write(first)
  const isFlowing = stream.write(second)
  stream.uncork()
  return isFlowing
}

/** Sends the only message of an answer, and OK. */
export function sendOnly(
  stream: ServerHttp2Stream,
  message: Uint8Array,
  compressed: boolean,
  trailers: GrpcReply['trailers'],
): void {
  expectTrailers(stream, trailers)
  const [first, second] = toGrpcFrame(message, compressed)
  if (second === undefined) return void stream.end(first)
  stream.cork()
  stream.write(first)
  stream.end(second)
}

/** Ends an answer of messages with OK. */
export function sendOk(stream: ServerHttp2Stream, trailers: GrpcReply['trailers']): void {
  expectTrailers(stream, trailers)
  stream.end()
}

/** Ends a call with an error, after a head or without one. */
export function sendError(stream: ServerHttp2Stream, error: GrpcError): void {
  const trailers = {
    ...toGrpcHeaders(error.trailers),
    'grpc-status': String(GRPC_CODES[error.status]),
    'grpc-message': encodeGrpcMessage(error.message),
  }
  if (stream.headersSent) {
    stream.on('wantTrailers', () => endWith(stream, trailers))
    stream.end()
    return
  }
  stream.respond({ ...HEAD, 'grpc-accept-encoding': GRPC_ENCODINGS, ...trailers }, HEAD_ONLY)
  endRequest(stream)
}

/** Refuses what is not gRPC. */
export function sendHttpStatus(stream: ServerHttp2Stream, status: number): void {
  stream.respond({ ':status': status }, HEAD_ONLY)
  endRequest(stream)
}

function expectTrailers(stream: ServerHttp2Stream, trailers: GrpcReply['trailers']): void {
  if (trailers === undefined) return void stream.on('wantTrailers', sendOkTrailers)
  const all = { ...toGrpcHeaders(typeof trailers === 'function' ? trailers() : trailers), ...OK }
  stream.on('wantTrailers', () => endWith(stream, all))
}

function sendOkTrailers(this: ServerHttp2Stream): void {
  endWith(this, OK)
}

function endWith(stream: ServerHttp2Stream, trailers: Readonly<Record<string, string>>): void {
  stream.sendTrailers(trailers)
  // A reset in the same turn would overtake them.
  if (!stream.readableEnded) setImmediate(endRequest, stream)
}

/** What a client still sends of an answered call is not wanted (PROTOCOL-HTTP2.md, "Early Server Closure"). */
function endRequest(stream: ServerHttp2Stream): void {
  if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR)
}
