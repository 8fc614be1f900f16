import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { H2Socket, type H2SocketWorld } from '../http2/socket.node.ts'
import { type ListenAddress, listen, type RunningServer, watchConnections } from '../listen.node.ts'
import { type TlsOptions, toServerTls } from '../tls.node.ts'
import { ByteCount, type GrpcCallWorld, serveCall } from './call.node.ts'
import type { GrpcError, GrpcHandler, GrpcRequestHead } from './grpc.ts'
import { type GrpcLimits, withDefaultGrpcLimits } from './limits.ts'

/** Where and within which bounds a gRPC server listens. */
export interface GrpcListenOptions extends ListenAddress, Partial<GrpcLimits> {
  /** Speaks HTTP/2 over TLS. */
  readonly tls?: TlsOptions
  /** An answer of one message this long is compressed for a client that accepts gzip. @default never */
  readonly compressFromBytes?: number
  /** Whether the calls of a path take many messages, as they come. @default none */
  readonly streams?: (path: string) => boolean
  /** Asked before a message is read: an error refuses the call, a function is called once its stream has closed. */
  readonly admit?: (head: GrpcRequestHead) => GrpcError | (() => void)
  /** Told of everything a handler threw that is not a `GrpcError`. */
  readonly onError?: (error: unknown) => void
}

/** A listening gRPC server. */
export type GrpcServer = RunningServer

/** Serves a handler of calls, over HTTP/2. @throws PORT_IN_USE, LISTEN, TLS, TLS_CLIENT_CA, GRPC_LIMITS */
export async function listenGrpc(handler: GrpcHandler, options: GrpcListenOptions): Promise<GrpcServer> {
  const limits = withDefaultGrpcLimits(options)
  const { streams, admit, onError, compressFromBytes = Number.POSITIVE_INFINITY, tls } = options
  const calls = { handler, limits, buffered: new ByteCount(), streams, admit, onError, compressFromBytes }
  const world = toSocketWorld(calls)
  let draining = false
  const server = create(limits, tls, socket => {
    const connection = new H2Socket(socket, world)
    // It shook hands while the others were told to go.
    if (draining) connection.drain()
  })
  const breakAll = watchConnections(server)
  const address = await listen(server, options, tls === undefined ? 'http' : 'https')
  const closed = new Promise<void>(resolve => server.once('close', () => resolve()))
  const stop = (): void => {
    draining = true
    server.close()
    // A call that a client sends meanwhile is not begun, which the client is told.
    for (const connection of world.sockets) connection.drain()
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

function toSocketWorld(calls: GrpcCallWorld): H2SocketWorld {
  const { limits, onError } = calls
  return {
    limits,
    newTimeoutMs: limits.requestTimeoutMs,
    idleTimeoutMs: limits.idleTimeoutMs,
    onRequest: (stream, head) => serveCall(calls, stream, head),
    onError,
    sockets: new Set(),
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
  const server = createTlsServer(options, socket => {
    if (socket.alpnProtocol === ALPN) onSocket(socket)
    else socket.destroy()
  })
  // Node closes those that fail to shake hands, but not those that take too long.
  return server.on('tlsClientError', (_error, socket) => socket.destroy())
}
