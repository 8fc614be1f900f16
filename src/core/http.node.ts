import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { drained } from './drained.node.ts'
import { type HttpHandler, type HttpResponse, toJsonResponse } from './http.ts'
import { IncomingRequest } from './http-request.node.ts'
import { type ListenAddress, listen, type RunningServer, watchConnections } from './listen.node.ts'
import { type TlsOptions, toServerTls } from './tls.node.ts'

/** Where and within which bounds an HTTP server listens. */
export interface ListenOptions extends ListenAddress {
  /** A longer body is answered with 413. @default 64 MiB */
  readonly maxBodyBytes?: number
  /** Time for the whole request to arrive, ms; for the next chunk of a body that is streamed. @default 30_000 */
  readonly requestTimeoutMs?: number
  /** Whether a body is handed on as it arrives, however long it is, instead of being read first. @default never */
  readonly streams?: (head: HttpRequestHead) => boolean
  /** A longer head of a request is answered with 431. @default 16 KiB */
  readonly maxHeadBytes?: number
  /** Connections open at once; further ones are closed unanswered. @default no limit */
  readonly maxConnections?: number
  /** Time an idle kept-alive connection stays open, ms. @default 60_000 */
  readonly keepAliveTimeoutMs?: number
  /** Speaks HTTPS. */
  readonly tls?: TlsOptions
  /** Asked before a body is read: a response refuses the request, a function is called once the request is over. */
  readonly admit?: (head: HttpRequestHead) => HttpResponse | (() => void)
  /** Told of every handler that threw. */
  readonly onError?: (error: unknown) => void
  /** How this server words its own refusals (413, 500); @default `{"error": text}` */
  readonly toError?: (status: number, text: string) => HttpResponse
}

/** What is known of a request before its body is read. Header names are lower-case. */
export interface HttpRequestHead {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** As declared; 1 MiB (or the limit, where that is less) for a body of unknown length or one that is streamed. */
  readonly bodyBytes: number
}

/** A listening HTTP server. */
export type HttpServer = RunningServer

const CHUNKED_BODY_BYTES = 1024 * 1024
const REQUEST_TIMEOUT_MS = 30_000
const MAX_BODY_BYTES = 64 * 1024 * 1024
const MAX_HEAD_BYTES = 16 * 1024

/** Serves a handler over `node:http` or `node:https`. @throws PORT_IN_USE, LISTEN, TLS, TLS_CLIENT_CA */
export async function listenHttp(handler: HttpHandler, options: ListenOptions): Promise<HttpServer> {
  const server = create(options, (incoming, outgoing) => {
    // Every failure is answered inside; a rejection here would be a bug of this file.
    void answer(handler, options, incoming, outgoing)
  })
  if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections
  const address = await listen(server, options, options.tls === undefined ? 'http' : 'https')
  const breakAll = watchConnections(server)
  const closed = new Promise<void>(resolve => server.once('close', () => resolve()))
  let draining = false
  server.on('request', (_incoming, outgoing: ServerResponse) => {
    if (draining) outgoing.shouldKeepAlive = false
    // One that began before the drain may have promised to keep its connection: it is closed once it is idle.
    outgoing.once('close', () => {
      if (draining) setImmediate(() => server.closeIdleConnections())
    })
  })
  return {
    ...address,
    async drain(drainMs) {
      draining = true
      server.close()
      server.closeIdleConnections()
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

type OnRequest = (incoming: IncomingMessage, outgoing: ServerResponse) => void

function create(options: ListenOptions, onRequest: OnRequest) {
  const {
    tls,
    requestTimeoutMs = REQUEST_TIMEOUT_MS,
    keepAliveTimeoutMs = 60_000,
    maxHeadBytes = MAX_HEAD_BYTES,
  } = options
  const bounds: ServerOptions = {
    // Node cannot bound the time of some requests alone: where some are streamed, this file does.
    requestTimeout: options.streams === undefined ? requestTimeoutMs : 0,
    headersTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    maxHeaderSize: maxHeadBytes,
  }
  return tls === undefined
    ? createServer(bounds, onRequest)
    : createTlsServer({ ...bounds, ...toServerTls(tls, requestTimeoutMs) }, onRequest)
}

async function answer(
  handler: HttpHandler,
  options: ListenOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const toError = options.toError ?? ((status, error) => toJsonResponse(status, { error }))
  const request = new IncomingRequest(incoming)
  // Every answer closes; only one that was not finished means that the client has gone.
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) request.leave()
  })
  const maxBodyBytes = options.maxBodyBytes ?? MAX_BODY_BYTES
  const head = toHead(incoming, request.path, maxBodyBytes)
  const isStreamed = options.streams?.(head) === true
  const admitted = options.admit?.(isStreamed ? { ...head, bodyBytes: CHUNKED_BODY_BYTES } : head)
  if (typeof admitted === 'function') outgoing.once('close', admitted)
  try {
    if (typeof admitted === 'object') return await refuse(incoming, outgoing, admitted)
    if (isStreamed) return await answerStream(handler, options, request, incoming, outgoing)
    const body = await readBody(incoming, maxBodyBytes, options)
    if (body === 'too-long') {
      const text = `Request body is longer than the limit of ${maxBodyBytes} bytes`
      return await refuse(incoming, outgoing, toError(413, text))
    }
    request.setBody(body)
    await send(outgoing, incoming.method, await handler(request))
  } catch (error) {
    if (request.isGone || outgoing.destroyed) return
    options.onError?.(error)
    if (outgoing.headersSent) outgoing.destroy()
    else
      await send(outgoing, incoming.method, toError(500, 'Internal error; the server log has the details')).catch(() =>
        outgoing.destroy(),
      )
  }
}

/** Hands the body on as it arrives; what a handler leaves of it is thrown away, and the connection with it. */
async function answerStream(
  handler: HttpHandler,
  { requestTimeoutMs = REQUEST_TIMEOUT_MS }: ListenOptions,
  request: IncomingRequest,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  incoming.setTimeout(requestTimeoutMs, () => incoming.destroy())
  // Ending the loop early must not end the connection: the answer is still to be sent.
  request.setChunks(incoming.iterator({ destroyOnReturn: false }))
  const response = await handler(request)
  incoming.setTimeout(0)
  if (incoming.readableEnded) await send(outgoing, incoming.method, response)
  else await refuse(incoming, outgoing, response)
}

/** Answers without reading the body: what the client still sends is thrown away until it closes or its time is over. */
async function refuse(incoming: IncomingMessage, outgoing: ServerResponse, response: HttpResponse): Promise<void> {
  outgoing.shouldKeepAlive = false
  await send(outgoing, incoming.method, response)
  incoming.resume()
}

function toHead(incoming: IncomingMessage, path: string, maxBodyBytes: number): HttpRequestHead {
  const isChunked = incoming.headers['transfer-encoding'] !== undefined
  return {
    method: incoming.method ?? 'GET',
    path,
    headers: incoming.headers,
    bodyBytes: isChunked ? Math.min(CHUNKED_BODY_BYTES, maxBodyBytes) : Number(incoming.headers['content-length'] ?? 0),
  }
}

async function readBody(
  incoming: IncomingMessage,
  maxBytes: number,
  { streams, requestTimeoutMs = REQUEST_TIMEOUT_MS }: ListenOptions,
): Promise<Uint8Array | 'too-long'> {
  if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) return 'too-long'
  if (streams !== undefined && !incoming.complete) {
    const late = setTimeout(() => incoming.destroy(), requestTimeoutMs)
    incoming.once('close', () => clearTimeout(late))
  }
  const chunks: Buffer[] = []
  let length = 0
  return await new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      length += chunk.length
      chunks.push(chunk)
      if (length <= maxBytes) return
      incoming.off('data', onData)
      resolve('too-long')
    }
    incoming.on('data', onData)
    incoming.once('end', () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    )
    incoming.once('error', reject)
    incoming.once('close', () => {
      if (!incoming.complete) reject(new Error('The client closed the connection before its request was whole'))
    })
  })
}

async function send(outgoing: ServerResponse, method: string | undefined, response: HttpResponse): Promise<void> {
  const { body } = response
  if (body instanceof Uint8Array) {
    const isHead = method === 'HEAD'
    // A HEAD answer that was forwarded has no body to measure, and some answers never have one (RFC 9110, section 8.6).
    const isBare = (isHead && body.byteLength === 0) || response.status === 204 || response.status === 304
    const length = isBare ? {} : { 'content-length': body.byteLength }
    outgoing.writeHead(response.status, { ...response.headers, ...length })
    outgoing.end(isHead ? undefined : body)
    return
  }
  outgoing.writeHead(response.status, response.headers)
  outgoing.flushHeaders()
  for await (const chunk of body) {
    if (outgoing.destroyed) return
    if (!outgoing.write(chunk)) await drained(outgoing)
  }
  outgoing.end()
}
