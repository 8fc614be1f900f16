import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { GRPC_CODES } from '../../../src/core/grpc/grpc.ts'
import { decodeGrpcMessage } from '../../../src/core/grpc/headers.ts'
import { FRAME, FrameClient, FrameSocket, toFrame } from '../../../src/core/http2/testing/frames.ts'
import { type RawAnswer, seeRaw } from '../../../src/core/http2/testing/raw.ts'
import type { CallCase, FramesCase } from '../case.ts'
import { PATIENCE_MS, Unanswered } from './http.ts'

/** How a call ended. */
export interface CallEnd {
  /** Of HTTP: not 200 for what is no gRPC. */
  readonly http: number | undefined
  /** The name of the status; undefined where the stream was reset. */
  readonly status: string | undefined
  readonly text: string
  readonly body: Buffer
  readonly rstCode: number
}

const NAMES = new Map(Object.entries(GRPC_CODES).map(([name, code]) => [String(code), name]))

/** A connection of calls, opened anew where the server ends it. */
export class CallClient implements Disposable {
  readonly #port: number
  #session: ClientHttp2Session | undefined

  constructor(port: number) {
    this.#port = port
  }

  /** Makes one call. @throws Unanswered */
  async call({ path, headers, body }: Omit<CallCase, 'door' | 'family'>): Promise<CallEnd> {
    const stream = this.begin({ path, headers }, body.length === 0)
    if (body.length > 0) stream.end(body)
    return await seeEnd(stream)
  }

  /** Begins a call. */
  begin({ path, headers }: Pick<CallCase, 'path' | 'headers'>, endStream = false): ClientHttp2Stream {
    const session = this.#session ?? this.#open()
    const given = Object.fromEntries(headers)
    const stream = session.request(
      { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...given },
      { endStream },
    )
    return stream.on('error', () => {})
  }

  #open(): ClientHttp2Session {
    const session = connect(`http://127.0.0.1:${this.#port}`).on('error', () => {})
    const forget = (): void => {
      if (this.#session === session) this.#session = undefined
    }
    session.once('close', forget).once('goaway', forget)
    this.#session = session
    return session
  }

  [Symbol.dispose](): void {
    this.#session?.destroy()
  }
}

/** Waits until a call ends. @throws Unanswered */
export async function seeEnd(stream: ClientHttp2Stream): Promise<CallEnd> {
  const timer = AbortSignal.timeout(PATIENCE_MS)
  const seen = await Promise.race([
    seeRaw(stream),
    new Promise<undefined>(resolve => timer.addEventListener('abort', () => resolve(undefined), { once: true })),
  ])
  if (seen !== undefined) return toEnd(seen)
  stream.close(8)
  throw new Unanswered(`no end within ${PATIENCE_MS} ms`)
}

function toEnd({ status: http, headers, trailers, body, rstCode }: RawAnswer): CallEnd {
  const all = { ...headers, ...trailers }
  const status = all['grpc-status'] === undefined ? undefined : NAMES.get(String(all['grpc-status']))
  return { http, status, text: decodeGrpcMessage(String(all['grpc-message'] ?? '')), body, rstCode }
}

const PING = Buffer.from('are you?')
/** After it the client closes its half: a frame that is not whole may wait for its rest. */
const HALF_CLOSE_MS = 300

/**
 * Sends bytes to the port of gRPC, then a ping, and waits until it comes back or the server ends the connection.
 * @throws Unanswered
 */
export async function sendFrames(port: number, { bytes, hasPreface }: FramesCase): Promise<void> {
  // What a server says to no HTTP/2 is not read as frames.
  using client = hasPreface ? new FrameClient(port) : new FrameSocket(connectTcp(port), Number.MAX_SAFE_INTEGER)
  client.write(bytes, toFrame(FRAME.ping, 0, PING))
  const isBack = (): boolean => client.frames.some(({ type, payload }) => type === FRAME.ping && payload.equals(PING))
  const startedAt = performance.now()
  while (!client.isClosed && !isBack()) {
    const waitedMs = performance.now() - startedAt
    if (waitedMs > PATIENCE_MS) throw new Unanswered(`neither a ping's answer nor an end within ${PATIENCE_MS} ms`)
    if (waitedMs > HALF_CLOSE_MS && !client.socket.writableEnded) client.socket.end()
    await sleep(2)
  }
}
