import type { RequestListener, ServerOptions, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadHttp, loadHttps } from '../late.node.ts'
import { type ListenAddress, listen, type RunningServer, watchConnections } from '../listen.node.ts'
import { type TlsOptions, toServerTls } from '../tls.node.ts'
import { answerExchange, refuseExpectation } from './exchange.node.ts'
import { type HttpHandler, toJsonResponse } from './http.ts'
import { openQuick } from './quick.node.ts'
import type { HttpWorld } from './world.ts'

/** Where and within which bounds an HTTP server listens. */
export interface ListenOptions
  extends ListenAddress,
    Partial<Pick<HttpWorld, 'streams' | 'admit' | 'onError' | 'toError'>> {
  /** A longer body is answered with 413. @default 64 MiB */
  readonly maxBodyBytes?: number
  /** Time for the whole request to arrive, ms; for the next chunk of a body that is streamed. @default 30_000 */
  readonly requestTimeoutMs?: number
  /** A longer head of a request is answered with 431. @default 16 KiB */
  readonly maxHeadBytes?: number
  /** Connections open at once; further ones are closed unanswered. @default no limit */
  readonly maxConnections?: number
  /** Time that clients are told an idle connection is kept for, ms; it is closed a little later. @default 60_000 */
  readonly keepAliveTimeoutMs?: number
  /** Speaks HTTPS. */
  readonly tls?: TlsOptions
}

/** A listening HTTP server. */
export interface HttpServer extends RunningServer {
  /**
   * Answers what it has and stops, after `drainMs` by force. For `leaveMs` (0) before that it still takes requests and
   * asks their clients to close: one that sends on a connection just as it is closed would lose its request.
   */
  drain(drainMs: number, leaveMs?: number): Promise<void>
}

const MAX_BODY_BYTES = 64 * 1024 * 1024
const MAX_HEAD_BYTES = 16 * 1024

/**
 * Serves a handler over HTTP/1.1: requests of the plain form on their sockets, all others over `node:http` or `node:https`.
 * @throws PORT_IN_USE, LISTEN, TLS, TLS_CLIENT_CA
 */
export async function listenHttp(handler: HttpHandler, options: ListenOptions): Promise<HttpServer> {
  const world = toWorld(handler, options)
  const server = create(world, options.tls)
  const quick = openQuick(server, options.tls === undefined ? 'connection' : 'secureConnection', world)
  if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections
  const address = await listen(server, options, options.tls === undefined ? 'http' : 'https')
  const breakAll = watchConnections(server)
  const closed = new Promise<void>(resolve => server.once('close', () => resolve()))
  let isStopping = false
  server.on('request', (_incoming, outgoing: ServerResponse) => {
    // A connection that was promised to be kept is closed once it is idle.
    outgoing.once('close', () => {
      if (isStopping) setImmediate(() => server.closeIdleConnections())
    })
  })
  return {
    ...address,
    async drain(drainMs, leaveMs = 0) {
      world.isDraining = true
      if (leaveMs > 0) await Promise.race([sleep(leaveMs, undefined, { ref: false }), closed])
      isStopping = true
      server.close()
      server.closeIdleConnections()
      quick.drain()
      const force = setTimeout(breakAll, drainMs)
      await closed
      clearTimeout(force)
    },
    async [Symbol.asyncDispose]() {
      server.close()
      breakAll()
      await closed
    },
  }
}

function toWorld(handler: HttpHandler, options: ListenOptions): HttpWorld {
  return {
    handler,
    maxBodyBytes: options.maxBodyBytes ?? MAX_BODY_BYTES,
    maxHeadBytes: options.maxHeadBytes ?? MAX_HEAD_BYTES,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    keepAliveTimeoutMs: options.keepAliveTimeoutMs ?? 60_000,
    streams: options.streams,
    admit: options.admit,
    onError: options.onError,
    toError: options.toError ?? ((status, error) => toJsonResponse(status, { error })),
    isDraining: false,
  }
}

function create(world: HttpWorld, tls: TlsOptions | undefined) {
  const { requestTimeoutMs } = world
  const bounds: ServerOptions = {
    // Node cannot bound the time of some requests alone: where some are streamed, their exchange does.
    requestTimeout: world.streams === undefined ? requestTimeoutMs : 0,
    headersTimeout: requestTimeoutMs,
    keepAliveTimeout: world.keepAliveTimeoutMs,
    maxHeaderSize: world.maxHeadBytes,
  }
  const onRequest = (...[incoming, outgoing]: Parameters<RequestListener>): void => {
    // Every failure is answered inside; a rejection here would be a bug of this file.
    void answerExchange(world, incoming, outgoing)
  }
  const server =
    tls === undefined
      ? loadHttp().createServer(bounds, onRequest)
      : loadHttps().createServer({ ...bounds, ...toServerTls(tls, requestTimeoutMs) }, onRequest)
  server.on('checkExpectation', (...[incoming, outgoing]: Parameters<RequestListener>) => {
    void refuseExpectation(world, incoming, outgoing)
  })
  return server
}
