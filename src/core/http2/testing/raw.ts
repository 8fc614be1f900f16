import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2'
import { toGrpcFrame } from '../../grpc/frames.ts'

/** What a client saw of one stream, byte by byte. */
export interface RawAnswer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly trailers: Readonly<Record<string, unknown>>
  readonly body: Buffer
  readonly rstCode: number
}

/** A message on the wire. */
export const toWire = (message: Uint8Array | string, compressed = false): Buffer =>
  Buffer.concat(toGrpcFrame(Buffer.from(message), compressed).filter(part => part !== undefined))

/** Opens an HTTP/2 connection whose errors are the streams' business. */
export function openRaw(url: string, options = {}): ClientHttp2Session & Disposable {
  const session = connect(url, options)
  session.on('error', () => {})
  return Object.assign(session, { [Symbol.dispose]: () => session.destroy() })
}

/** Opens the stream of a call, without a message. */
export function startRaw(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  const grpc = { ':method': 'POST', ':path': '/a.B/C', 'content-type': 'application/grpc' }
  const stream = session.request({ ...grpc, ...headers }, { endStream: false })
  stream.on('error', () => {})
  return stream
}

/** Waits for the end of a stream. */
export function seeRaw(stream: ClientHttp2Stream): Promise<RawAnswer> {
  return new Promise(resolve => {
    let headers: Readonly<Record<string, unknown>> = {}
    let trailers: Readonly<Record<string, unknown>> = {}
    const chunks: Buffer[] = []
    stream.on('response', got => {
      headers = got
    })
    stream.on('trailers', got => {
      trailers = got
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('close', () => {
      const status = headers[':status'] as number | undefined
      resolve({ status, headers, trailers, body: Buffer.concat(chunks), rstCode: stream.rstCode ?? -1 })
    })
  })
}

/** Makes a call of these bytes and waits for its end. */
export async function callRaw(
  session: ClientHttp2Session,
  body: Uint8Array | undefined,
  headers: OutgoingHttpHeaders = {},
): Promise<RawAnswer> {
  const stream = startRaw(session, headers)
  stream.end(body)
  return await seeRaw(stream)
}
