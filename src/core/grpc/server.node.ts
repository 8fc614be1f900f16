import { createServer, type Server, type Socket } from 'node:net'
import { loadTls } from '../late.node.ts'
import { type ListenAddress, listen, type RunningServer, watchConnections } from '../listen.node.ts'
import { type TlsOptions, toServerTls } from '../tls.node.ts'
import type { GrpcError, GrpcHandler, GrpcRequestHead } from './grpc.ts'
import { LateConnections } from './late-connections.node.ts'
import { type GrpcLimits, withDefaultGrpcLimits } from './limits.ts'

/** What answers calls. */
export interface GrpcService {
  readonly handler: GrpcHandler
  /** Whether the calls of a path take many messages, as they come. @default none */
  readonly streams?: ((path: string) => boolean) | undefined
  /** Asked before a message is read: an error refuses the call, a function is called once its stream has closed. */
  readonly admit?: ((head: GrpcRequestHead) => GrpcError | (() => void)) | undefined
}

/** Where and within which bounds a gRPC server listens. */
export interface GrpcListenOptions extends ListenAddress, Partial<GrpcLimits> {
  /** Speaks HTTP/2 over TLS. */
  readonly tls?: TlsOptions
  /** An answer of one message this long is compressed for a client that accepts gzip. @default never */
  readonly compressFromBytes?: number
  /** Told of everything a handler threw that is not a `GrpcError`. */
  readonly onError?: (error: unknown) => void
}

/** A listening gRPC server. */
export type GrpcServer = RunningServer

/** After this time it is loaded though nobody has called: by then whoever waited for the start has been answered. */
const LOAD_AFTER_MS = 1000

/**
 * Serves calls over HTTP/2. What answers them, and what speaks HTTP/2, is loaded when the first connection comes, or a
 * second later: it would take a fifth of the time in which a model server starts.
 * @throws PORT_IN_USE, LISTEN, TLS, TLS_CLIENT_CA, GRPC_LIMITS
 */
export async function listenGrpc(
  load: () => GrpcService | Promise<GrpcService>,
  options: GrpcListenOptions,
): Promise<GrpcServer> {
  const limits = withDefaultGrpcLimits(options)
  const { compressFromBytes = Number.POSITIVE_INFINITY, onError, tls } = options
  const connections = new LateConnections(async () => {
    const [{ GrpcConnections }, service] = await Promise.all([import('./connections.node.ts'), load()])
    return new GrpcConnections({ ...service, limits, compressFromBytes, onError })
  }, onError)
  const server = create(limits, tls, socket => connections.take(socket))
  const breakAll = watchConnections(server)
  const address = await listen(server, options, tls === undefined ? 'http' : 'https')
  const closed = new Promise<void>(resolve => server.once('close', () => resolve()))
  const loading = setTimeout(() => void connections.load(), LOAD_AFTER_MS).unref()
  const stop = (): void => {
    clearTimeout(loading)
    server.close()
    connections.drain()
  }
  return {
    ...address,
    async drain(drainMs) {
      stop()
      const force = setTimeout(breakAll, drainMs)
      await closed
      clearTimeout(force)
    },
    async [Symbol.asyncDispose]() {
      stop()
      breakAll()
      await closed
    },
  }
}

const ALPN = 'h2'

function create(limits: GrpcLimits, tls: TlsOptions | undefined, onSocket: (socket: Socket) => void): Server {
  const server = tls === undefined ? createServer({ noDelay: true }, onSocket) : createSecure(limits, tls, onSocket)
  server.maxConnections = limits.maxSessions
  return server
}

function createSecure(limits: GrpcLimits, tls: TlsOptions, onSocket: (socket: Socket) => void): Server {
  const options = { ...toServerTls(tls, limits.requestTimeoutMs), noDelay: true, ALPNProtocols: [ALPN] }
  const server = loadTls().createServer(options, socket => {
    if (socket.alpnProtocol === ALPN) onSocket(socket)
    else socket.destroy()
  })
  // Node closes those that fail to shake hands, but not those that take too long.
  return server.on('tlsClientError', (_error, socket) => socket.destroy())
}
