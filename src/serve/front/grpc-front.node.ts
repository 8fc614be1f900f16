import { toErrorText } from '../../core/errors.ts'
import { toConcurrentStreams } from '../../core/grpc/limits.ts'
import { type GrpcServer, listenGrpc } from '../../core/grpc/server.node.ts'
import { type Limits, MAX_HEAD_BYTES, type ServerOptions } from '../options.ts'
import type { FrontParts } from './front.node.ts'

/** Opens the port of the gRPC protocols, whose messages are loaded for the first client. @throws as `listenGrpc` */
export async function openGrpcFront(
  parts: FrontParts,
  port: number,
  { host = '127.0.0.1', logger, tls }: ServerOptions,
  limits: Limits,
): Promise<GrpcServer> {
  const load = async () => (await import('./grpc-handler.ts')).toGrpcService(parts)
  return await listenGrpc(load, {
    host,
    port,
    maxMessageBytes: limits.maxBodyBytes,
    maxConcurrentStreams: toConcurrentStreams(limits.maxInFlight),
    maxHeaderListBytes: MAX_HEAD_BYTES,
    maxBufferedBytes: limits.maxInFlightBytes,
    requestTimeoutMs: limits.requestTimeoutMs,
    ...(tls?.grpc && { tls: tls.grpc }),
    onError: error => logger?.error({ error: toErrorText(error) }, 'a call failed'),
  })
}
