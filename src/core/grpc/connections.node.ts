import type { Socket } from 'node:net'
import { H2ServerSocket, type H2SocketWorld } from '../http2/server-socket.node.ts'
import { ByteCount, serveCall } from './call.node.ts'
import type { GrpcLimits } from './limits.ts'
import type { GrpcService } from './server.node.ts'

/** What connections work with. */
export interface GrpcConnectionsOptions extends GrpcService {
  readonly limits: GrpcLimits
  readonly compressFromBytes: number
  readonly onError: ((error: unknown) => void) | undefined
}

/** The connections of one server, and the calls on them. */
export class GrpcConnections {
  readonly #world: H2SocketWorld

  constructor(options: GrpcConnectionsOptions) {
    const { handler, streams, admit, limits, compressFromBytes, onError } = options
    const calls = { handler, streams, admit, limits, compressFromBytes, onError, buffered: new ByteCount() }
    this.#world = {
      limits,
      newTimeoutMs: limits.requestTimeoutMs,
      idleTimeoutMs: limits.idleTimeoutMs,
      onRequest: (stream, head) => serveCall(calls, stream, head),
      onError,
      sockets: new Set(),
    }
  }

  /** Serves a connection; where all are told to go, it is told so too. */
  take(socket: Socket, isDraining: boolean): void {
    const connection = new H2ServerSocket(socket, this.#world)
    if (isDraining) connection.drain()
  }

  /** Tells clients to go elsewhere. A call that one sends meanwhile is not begun, which it is told. */
  drain(): void {
    for (const connection of this.#world.sockets) connection.drain()
  }
}
