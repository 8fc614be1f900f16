import type { RunningServer } from '../../core/listen.node.ts'
import type { Limits, Listening, ServerOptions } from '../options.ts'
import { type FrontParts, openFront } from './front.node.ts'
import { openGrpcFront } from './grpc-front.node.ts'

/** The open ports of a server. Disposal closes them without waiting for requests in flight. */
export interface Ports extends AsyncDisposable {
  readonly listening: Listening
  /** Takes no more connections on any port, and lets requests in flight finish for up to `drainMs`. */
  drain(drainMs: number): Promise<void>
}

/** Opens the port of HTTP and, where one is wanted, that of gRPC. @throws PORT_IN_USE, LISTEN */
export async function openPorts(parts: FrontParts, options: ServerOptions, limits: Limits): Promise<Ports> {
  const http = await openFront(parts, options, limits)
  const grpc = await openGrpc(parts, options, limits).catch(async error => {
    await http[Symbol.asyncDispose]()
    throw error
  })
  const open = grpc === undefined ? [http] : [http, grpc]
  const listening = { url: http.url, port: http.port, ...(grpc && { grpc: { url: grpc.url, port: grpc.port } }) }
  options.onListening?.(listening)
  options.logger?.info({ url: http.url, grpc: grpc?.url, models: parts.service.catalog.names }, 'listening')
  return {
    listening,
    async drain(drainMs) {
      await Promise.all(open.map(port => port.drain(drainMs)))
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(open.map(port => port[Symbol.asyncDispose]()))
    },
  }
}

async function openGrpc(parts: FrontParts, options: ServerOptions, limits: Limits): Promise<RunningServer | undefined> {
  const { grpcPort } = options
  if (grpcPort === undefined) return undefined
  return await openGrpcFront(parts, grpcPort, options, limits)
}
