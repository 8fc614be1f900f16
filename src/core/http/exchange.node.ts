import type { IncomingMessage, ServerResponse } from 'node:http'
import { drained } from '../drained.node.ts'
import type { HttpResponse } from './http.ts'
import { IncomingRequest, toPath } from './incoming-request.ts'
import { type HttpRequestHead, type HttpWorld, isBare, toInternalError } from './world.ts'

const CHUNKED_BODY_BYTES = 1024 * 1024

/** Answers a request that `node:http` carries. Never rejects. */
export async function answerExchange(
  world: HttpWorld,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const target = incoming.url ?? '/'
  const head = { method: incoming.method ?? 'GET', target, path: toPath(target) }
  const request = new IncomingRequest({ ...head, headers: toHeaders(incoming.headers) })
  // Every answer closes; only one that was not finished means that the client has gone.
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) request.leave()
  })
  const { maxBodyBytes } = world
  const whole = toHead(incoming, request, maxBodyBytes)
  const isStreamed = world.streams?.(whole) === true
  const toTooLong = (): HttpResponse =>
    world.toError(413, `Request body is longer than the limit of ${maxBodyBytes} bytes`)
  // Before anybody asks whether there is room for it: there never will be.
  if (!isStreamed && whole.bodyBytes > maxBodyBytes) {
    await refuse(incoming, outgoing, toTooLong()).catch(() => outgoing.destroy())
    return
  }
  const admitted = world.admit?.(isStreamed ? { ...whole, bodyBytes: CHUNKED_BODY_BYTES } : whole)
  if (typeof admitted === 'function') outgoing.once('close', admitted)
  try {
    if (typeof admitted === 'object') return await refuse(incoming, outgoing, admitted)
    if (isStreamed) return await answerStream(world, request, incoming, outgoing)
    const body = await readBody(incoming, world)
    if (body === 'too-long') return await refuse(incoming, outgoing, toTooLong())
    if (body === 'too-late') return await refuse(incoming, outgoing, world.toError(408, 'Request body came too slowly'))
    request.setBody(body)
    const response = await world.handler(request)
    // While the server stops, clients are to connect anew, which is elsewhere.
    if (world.isDraining) outgoing.shouldKeepAlive = false
    await send(outgoing, request.method, response)
  } catch (error) {
    if (request.isGone || outgoing.destroyed) return
    world.onError?.(error)
    if (outgoing.headersSent) outgoing.destroy()
    else await send(outgoing, request.method, toInternalError(world)).catch(() => outgoing.destroy())
  }
}

function toHeaders(headers: IncomingMessage['headers']): Readonly<Record<string, string | undefined>> {
  const cookies = headers['set-cookie']
  const flat = cookies === undefined ? headers : { ...headers, 'set-cookie': cookies.join(', ') }
  // Node joins every other header that is repeated itself (http.IncomingMessage, "message.headers").
  return flat as Readonly<Record<string, string | undefined>>
}

/** Answers a request that expects anything but 100-continue (RFC 9110, section 10.1.1). Never rejects. */
export async function refuseExpectation(
  { toError }: HttpWorld,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const text = `Cannot do what "expect: ${incoming.headers.expect}" asks for: expected 100-continue`
  await refuse(incoming, outgoing, toError(417, text)).catch(() => outgoing.destroy())
}

/** Hands the body on as it arrives; what a handler leaves of it is thrown away, and the connection with it. */
async function answerStream(
  { handler, requestTimeoutMs }: HttpWorld,
  request: IncomingRequest,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  incoming.setTimeout(requestTimeoutMs, () => {
    request.leave()
    incoming.destroy()
  })
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

function toHead(
  { headers }: IncomingMessage,
  { method, path }: IncomingRequest,
  maxBodyBytes: number,
): HttpRequestHead {
  const isChunked = headers['transfer-encoding'] !== undefined
  const bodyBytes = isChunked ? Math.min(CHUNKED_BODY_BYTES, maxBodyBytes) : Number(headers['content-length'] ?? 0)
  return { method, path, headers, bodyBytes }
}

async function readBody(
  incoming: IncomingMessage,
  { maxBodyBytes: maxBytes, streams, requestTimeoutMs }: HttpWorld,
): Promise<Uint8Array | 'too-long' | 'too-late'> {
  const chunks: Buffer[] = []
  let length = 0
  return await new Promise((resolve, reject) => {
    const giveUp = (why: 'too-long' | 'too-late'): void => {
      incoming.off('data', onData)
      resolve(why)
    }
    if (streams !== undefined && !incoming.complete) {
      const late = setTimeout(giveUp, requestTimeoutMs, 'too-late')
      incoming.once('close', () => clearTimeout(late))
      incoming.once('end', () => clearTimeout(late))
    }
    const onData = (chunk: Buffer): void => {
      length += chunk.length
      chunks.push(chunk)
      if (length > maxBytes) giveUp('too-long')
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
  const { body, status, headers } = response
  if (body instanceof Uint8Array) {
    const isHead = method === 'HEAD'
    // A HEAD answer that was forwarded has no body to measure.
    const hasLength = !isBare(status) && !(isHead && body.byteLength === 0)
    outgoing.writeHead(status, { ...headers, ...(hasLength && { 'content-length': body.byteLength }) })
    outgoing.end(isHead ? undefined : body)
    return
  }
  outgoing.writeHead(status, headers)
  outgoing.flushHeaders()
  for await (const chunk of body) {
    if (outgoing.destroyed) return
    if (!outgoing.write(chunk)) await drained(outgoing)
  }
  outgoing.end()
}
