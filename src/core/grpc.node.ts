import { createSecureServer, createServer, type ServerHttp2Session } from 'node:http2'
import type { GrpcError, GrpcHandler, GrpcRequestHead } from './grpc.ts'
import { ByteCount, type GrpcCallWorld, serveCall } from './grpc-call.node.ts'
import { type GrpcLimits, withDefaultGrpcLimits } from './grpc-limits.ts'
import { type ListenAddress, listen, type RunningServer, watchConnections } from './listen.node.ts'
import { type TlsOptions, toServerTls } from './tls.node.ts'

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

/** Serves a handler of calls over `node:http2`. @throws PORT_IN_USE, LISTEN, TLS, TLS_CLIENT_CA, GRPC_LIMITS */
export async function listenGrpc(handler: GrpcHandler, options: GrpcListenOptions): Promise<GrpcServer> {
  const limits = withDefaultGrpcLimits(options)
  const { streams, admit, onError, compressFromBytes = Number.POSITIVE_INFINITY, tls } = options
  const world = { handler, limits, buffered: new ByteCount(), streams, admit, onError, compressFromBytes }
  const server = create(limits, tls)
  server.maxConnections = limits.maxSessions
  let draining = false
  server.on('session', session => {
    serveConnection(session, world)
    // It shook hands while the others were told to go.
    if (draining) session.close()
  })
  const breakAll = watchConnections(server)
  const address = await listen(server, options, tls === undefined ? 'http' : 'https')
  const closed = new Promise<void>(resolve => server.once('close', () => resolve()))
  const stop = (): void => {
    draining = true
    // Tells every client to go elsewhere (GOAWAY); a call that it sent meanwhile is refused as never begun.
    server.close()
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

/** Messages are read as they come: a window bounds what is on its way, not what is held (`maxBufferedBytes` does). */
const STREAM_WINDOW_BYTES = 1024 * 1024
const CONNECTION_WINDOW_BYTES = 8 * STREAM_WINDOW_BYTES

/** Node refuses calls with ENHANCE_YOUR_CALM above it; the other limits bound the same memory, and say so. */
const MAX_SESSION_MEGABYTES = 4096

function create(limits: GrpcLimits, tls: TlsOptions | undefined) {
  const options = {
    maxSessionMemory: MAX_SESSION_MEGABYTES,
    maxSessionInvalidFrames: 100,
    streamResetRate: limits.maxResetsPerSecond,
    streamResetBurst: 2 * limits.maxResetsPerSecond,
    unknownProtocolTimeout: limits.requestTimeoutMs,
    settings: {
      maxConcurrentStreams: limits.maxConcurrentStreams,
      maxHeaderListSize: limits.maxHeaderListBytes,
      initialWindowSize: STREAM_WINDOW_BYTES,
    },
  }
  return tls === undefined
    ? createServer(options)
    : createSecureServer({ ...options, ...toServerTls(tls, limits.requestTimeoutMs) })
}

/** Answers the calls of one connection, and ends it after a silence. */
function serveConnection(session: ServerHttp2Session, world: GrpcCallWorld): void {
  const { idleTimeoutMs, requestTimeoutMs } = world.limits
  let calls = 0
  const onOver = (): void => {
    calls -= 1
  }
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
  session.setTimeout(requestTimeoutMs)
  session.once('stream', () => session.setTimeout(idleTimeoutMs))
  session.on('stream', (stream, headers) => {
    calls += 1
    serveCall(world, stream, headers, onOver)
  })
  session.on('timeout', () => {
    // A call that is being worked on may last; an answer that nobody takes may not.
    if (calls > 0) session.setTimeout(idleTimeoutMs)
    else session.destroy()
  })
}
