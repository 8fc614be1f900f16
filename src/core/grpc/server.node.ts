import { createServer, type Server, type Socket } from 'node:net'
import { loadTls } from '../late.node.ts'
import { type ListenAddress, listen, type RunningServer, watchConnections } from '../listen.node.ts'
import { type TlsOptions, toServerTls } from '../tls.node.ts'
import type { GrpcConnections } from './connections.node.ts'
import type { GrpcError, GrpcHandler, GrpcRequestHead } from './grpc.ts'
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
  let isDraining = false
  let connections: GrpcConnections | undefined
  let opening: Promise<GrpcConnections> | undefined
  const open = async (): Promise<GrpcConnections> => {
    const [{ GrpcConnections }, service] = await Promise.all([import('./connections.node.ts'), load()])
    connections = new GrpcConnections({ ...service, limits, compressFromBytes, onError })
    return connections
  }
  const openOnce = async (): Promise<GrpcConnections> => {
    opening ??= open().catch(error => {
      opening = undefined
      throw error
    })
    return await opening
  }
  const takeLater = async (socket: Socket): Promise<void> => {
    // One that breaks off before it is taken says so to nobody else.
    socket.on('error', () => {})
    try {
      const opened = await openOnce()
      if (!socket.destroyed) opened.take(socket, isDraining)
    } catch (error) {
      socket.destroy()
      onError?.(error)
    }
  }
  const server = create(limits, tls, socket => {
    if (connections === undefined) void takeLater(socket)
    else connections.take(socket, isDraining)
  })
  const breakAll = watchConnections(server)
  const address = await listen(server, options, tls === undefined ? 'http' : 'https')
  const closed = new Promise<void>(resolve => server.once('close', () => resolve()))
  const loading = setTimeout(() => void openOnce().catch(error => onError?.(error)), LOAD_AFTER_MS).unref()
  const stop = (): void => {
    isDraining = true
    clearTimeout(loading)
    server.close()
    connections?.drain()
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
