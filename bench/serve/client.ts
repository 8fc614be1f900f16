import { Agent, request as openRequest } from 'node:http'
import { type ClientHttp2Session, connect, constants } from 'node:http2'
import type { WireAnswer, WireRequest } from './protocols.ts'

/** One kept connection to a server, with one request on it at a time. */
export interface Connection extends Disposable {
  /** Rejects where the answer is not 200, or not OK in gRPC, saying what it is. */
  ask(request: WireRequest): Promise<WireAnswer>
}

/** An answer that is no prediction. */
export class RefusedRequest extends Error {}

/** Opens a connection to a port of this machine; it is made with the first request. */
export function openConnection(transport: WireRequest['transport'], port: number): Connection {
  return transport === 'http' ? openHttp(port) : openGrpc(port)
}

function openHttp(port: number): Connection {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    ask: ({ path, headers, body }) =>
      new Promise((resolve, reject) => {
        const length = { 'content-length': String(body.byteLength) }
        const options = { agent, port, path, host: '127.0.0.1', method: 'POST', headers: { ...headers, ...length } }
        const sent = openRequest(options, async answer => {
          try {
            const bytes = await join(answer)
            if (answer.statusCode === 200) resolve({ headers: answer.headers, body: bytes })
            else reject(new RefusedRequest(`answered ${answer.statusCode}: ${bytes.toString().slice(0, 300)}`))
          } catch (error) {
            reject(error)
          }
        })
        sent.on('error', reject).end(body)
      }),
    [Symbol.dispose]: () => agent.destroy(),
  }
}

/** Compressed flag and length before a message (gRPC over HTTP/2, "Length-Prefixed-Message"). */
const PREFIX_BYTES = 5
/** Answers may be as long as this without being asked to wait. */
const WINDOW_BYTES = 16 << 20

function openGrpc(port: number): Connection {
  let session: ClientHttp2Session | undefined
  return {
    async ask({ path, body }) {
      if (session === undefined || session.destroyed) session = openSession(port)
      return await call(session, path, body)
    },
    [Symbol.dispose]: () => session?.destroy(),
  }
}

function openSession(port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: WINDOW_BYTES } })
  // What fails the session fails its streams too, which tell it.
  return session.on('error', () => {})
}

async function call(session: ClientHttp2Session, path: string, message: Uint8Array): Promise<WireAnswer> {
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: path,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  let [headers, trailers]: [WireAnswer['headers'], WireAnswer['headers']] = [{}, {}]
  stream.on('response', heads => {
    headers = heads
  })
  stream.on('trailers', heads => {
    trailers = heads
  })
  stream.end(Buffer.concat([toPrefix(message.byteLength), message]))
  const bytes = await join(stream)
  const status = trailers['grpc-status'] ?? headers['grpc-status']
  if (status !== '0')
    throw new Error(`answered gRPC status ${status}: ${trailers['grpc-message'] ?? headers['grpc-message']}`)
  return { headers, body: bytes.subarray(PREFIX_BYTES) }
}

function toPrefix(length: number): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.writeUInt32BE(length, 1)
  return prefix
}

async function join(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}
