import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { loadHttp } from '../core/late.node.ts'

/** A request whose body or answer takes its time. */
export interface StreamedRequest {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  /** @default no body */
  readonly chunks?: AsyncIterable<Uint8Array>
}

/** Breaks a request off where nothing moves. */
export interface StreamBounds {
  readonly connectTimeoutMs: number
  /** Without a byte in either direction. @default none */
  readonly silenceMs?: number
  readonly signal: AbortSignal
}

/**
 * Sends a request on a connection of its own, its body as fast as that is taken, and gives the answer as soon as its head
 * is there. Rejects where there is none.
 */
export function openAnswer(url: string, request: StreamedRequest, bounds: StreamBounds): Promise<IncomingMessage> {
  const { method, target: path, headers, chunks } = request
  const { connectTimeoutMs, silenceMs = 0, signal } = bounds
  return new Promise((resolve, reject) => {
    const outgoing = loadHttp().request(url, { method, path, headers, signal, agent: false })
    const late = setTimeout(() => {
      outgoing.destroy(new Error(`the connection could not be made within ${connectTimeoutMs} ms`))
    }, connectTimeoutMs)
    outgoing.once('socket', socket => socket.once('connect', () => clearTimeout(late)))
    outgoing.once('close', () => clearTimeout(late))
    outgoing.setTimeout(silenceMs, () => outgoing.destroy(new Error(`nothing came for ${silenceMs} ms`)))
    outgoing.once('response', resolve)
    outgoing.on('error', reject)
    if (chunks === undefined) outgoing.end()
    // That it breaks is told by 'error'; an answer may come before all of the body is sent.
    else void pipeline(Readable.from(chunks, { objectMode: false }), outgoing).catch(reject)
  })
}
