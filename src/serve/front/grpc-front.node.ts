import { toErrorText } from '../../core/errors.ts'
import { toConcurrentStreams } from '../../core/grpc/limits.ts'
import { type GrpcServer, listenGrpc } from '../../core/grpc/server.node.ts'
import { type Limits, MAX_HEAD_BYTES, type ServerOptions } from '../options.ts'
import { type GrpcParts, isGrpcStream, toGrpcAdmit, toGrpcHandler } from './grpc-handler.ts'

/** Opens the port of the gRPC protocols. @throws PORT_IN_USE, LISTEN, TLS, TLS_CLIENT_CA */
export async function openGrpcFront(
  parts: GrpcParts,
  port: number,
  { host = '127.0.0.1', logger, tls }: ServerOptions,
  limits: Limits,
): Promise<GrpcServer> {
  return await listenGrpc(toGrpcHandler(parts), {
    host,
    port,
    maxMessageBytes: limits.maxBodyBytes,
    maxConcurrentStreams: toConcurrentStreams(limits.maxInFlight),
    maxHeaderListBytes: MAX_HEAD_BYTES,
    maxBufferedBytes: limits.maxInFlightBytes,
    requestTimeoutMs: limits.requestTimeoutMs,
    ...(tls?.grpc && { tls: tls.grpc }),
    streams: isGrpcStream,
    admit: toGrpcAdmit(parts),
    onError: error => logger?.error({ error: toErrorText(error) }, 'a call failed'),
  })
}
