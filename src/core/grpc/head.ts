import { type GrpcEncoding, parseGrpcEncoding } from './encoding.ts'
import { GrpcError } from './grpc.ts'
import { parseGrpcTimeout } from './headers.ts'

/** What the headers of a call tell its transport. */
export interface GrpcHead {
  readonly encoding: GrpcEncoding
  readonly timeoutMs: number | undefined
  /** The encodings that the client reads. */
  readonly accepts: string | undefined
}

type Headers = Readonly<Record<string, string>>

/** Reads what of a call's headers is for the transport. @throws GrpcError UNIMPLEMENTED, INTERNAL */
export function parseGrpcHead(headers: Headers): GrpcHead {
  const timeout = headers['grpc-timeout']
  const timeoutMs = timeout === undefined ? undefined : parseGrpcTimeout(timeout)
  if (timeout !== undefined && timeoutMs === undefined)
    throw new GrpcError('INTERNAL', `Cannot read grpc-timeout "${timeout}": expected 1 to 8 digits and one of HMSmun`)
  const encoding = parseGrpcEncoding(headers['grpc-encoding'])
  return { encoding, timeoutMs, accepts: headers['grpc-accept-encoding'] }
}

/** The HTTP status for what is not a gRPC call (PROTOCOL-HTTP2.md, "Content-Type"); undefined for a call. */
export function toHttpRefusal(headers: Headers): number | undefined {
  if (headers[':method'] !== 'POST') return 405
  const type = headers['content-type'] ?? ''
  return type === 'application/grpc' || /^application\/grpc[+;]/.test(type) ? undefined : 415
}
