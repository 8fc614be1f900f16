import { toErrorText } from '../core/errors.ts'
import type { GrpcReply, GrpcRequest } from '../core/grpc/grpc.ts'
import { toConcurrentStreams } from '../core/grpc/limits.ts'
import { type GrpcServer, type GrpcService, listenGrpc } from '../core/grpc/server.node.ts'
import { type HttpServer, listenHttp } from '../core/http/server.node.ts'
import type { TlsOptions } from '../core/tls.node.ts'
import type { Admission } from './admission.ts'
import { classifyCall } from './grpc/calls.ts'
import { refuseCall } from './grpc/grpc.node.ts'
import { handleGrpc } from './grpc/handler.node.ts'
import { handleGrpcStream } from './grpc/stream.node.ts'
import { type HandlerWorld, handle } from './handler.node.ts'
import { refuse } from './http.node.ts'
import type { Limits } from './limits.ts'
import type { Logger } from './logger.ts'
import { toOwnPath } from './own-path.ts'
import { OVERLOADED } from './refusals.ts'

/** Where a gateway listens. */
export interface PortOptions {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly grpcPort: number
  readonly tls?: TlsOptions | undefined
  readonly logger: Logger
}

/** What answers on the ports, within one bound. */
export interface PortWorld extends HandlerWorld {
  readonly admission: Admission
}

/** The servers of both ports. */
export interface Ports {
  readonly http: HttpServer
  readonly grpc: GrpcServer
}

/** Listens on both ports, or on neither. @throws PORT_IN_USE, LISTEN, TLS */
export async function openPorts(options: PortOptions, limits: Limits, world: PortWorld): Promise<Ports> {
  const http = await openHttp(options, limits, world)
  try {
    return { http, grpc: await openGrpc(options, limits, world) }
  } catch (error) {
    await http[Symbol.asyncDispose]()
    throw error
  }
}

async function openHttp(options: PortOptions, limits: Limits, world: PortWorld): Promise<HttpServer> {
  const { host, port, tls, logger } = options
  return await listenHttp(request => handle(world, request), {
    host,
    port,
    ...(tls === undefined ? {} : { tls }),
    maxBodyBytes: limits.maxBodyBytes,
    maxHeadBytes: limits.maxHeadBytes,
    maxConnections: limits.maxClients,
    streams: ({ path, headers }) =>
      path === '/truth' && /^application\/x-ndjson\b/i.test(String(headers['content-type'])),
    admit({ path, bodyBytes }) {
      // Whoever asks how the gateway is must be answered when it is full, most of all.
      if (toOwnPath(path) !== undefined && path !== '/truth') return () => {}
      const admitted = world.admission.admit(bodyBytes)
      return admitted === 'full' ? refuse(world, { path }, OVERLOADED) : admitted
    },
    onError: error => logger.error({ error: toErrorText(error) }, 'A request failed inside the gateway'),
  })
}

async function openGrpc(options: PortOptions, limits: Limits, world: PortWorld): Promise<GrpcServer> {
  const { host, grpcPort: port, tls, logger } = options
  const service: GrpcService = {
    handler: call => (call.messages === undefined ? answerWithin(world, call) : handleGrpcStream(world, call)),
    streams: path => classifyCall(path)?.kind === 'stream',
    admit({ path }) {
      const kind = classifyCall(path)?.kind
      // The messages of a stream take room one by one.
      if (kind === 'own' || kind === 'stream') return () => {}
      // How long its message is shows when it is there.
      const admitted = world.admission.admit(0)
      return admitted === 'full' ? refuseCall(world, OVERLOADED) : admitted
    },
  }
  return await listenGrpc(() => service, {
    host,
    port,
    ...(tls === undefined ? {} : { tls }),
    maxMessageBytes: limits.maxBodyBytes,
    maxBufferedBytes: limits.maxInFlightBytes,
    maxConcurrentStreams: toConcurrentStreams(limits.maxInFlight),
    maxHeaderListBytes: limits.maxHeadBytes,
    maxSessions: limits.maxClients,
    onError: error => logger.error({ error: toErrorText(error) }, 'A call failed inside the gateway'),
  })
}

/** Answers a call within the room that both ports share: its message is there now. */
async function answerWithin(world: PortWorld, call: GrpcRequest): Promise<GrpcReply> {
  if (classifyCall(call.path)?.kind === 'own') return await handleGrpc(world, call)
  const release = world.admission.reserve(call.message.byteLength)
  if (release === 'full') throw refuseCall(world, OVERLOADED)
  try {
    return await handleGrpc(world, call)
  } finally {
    release()
  }
}
