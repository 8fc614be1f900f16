import type { GrpcHandler } from '../grpc.ts'
import { type GrpcListenOptions, type GrpcServer, type GrpcService, listenGrpc } from '../server.node.ts'

/** How a test's server listens, and which calls it takes. */
export type ServeOptions = GrpcListenOptions & Omit<GrpcService, 'handler'>

/** Listens with what is loaded already. */
export async function serveGrpc(
  handler: GrpcHandler,
  { streams, admit, ...options }: ServeOptions,
): Promise<GrpcServer> {
  return await listenGrpc(() => ({ handler, streams, admit }), options)
}
