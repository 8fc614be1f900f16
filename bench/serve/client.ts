import { Agent, request as openRequest } from 'node:http'
import { type GrpcChannel, openGrpcChannel } from '../../src/core/grpc/client.node.ts'
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

/** The client that the gateway has for its replicas: a slower one would be what is measured, of a server that is quick. */
function openGrpc(port: number): Connection {
  let channel: GrpcChannel | undefined
  return {
    async ask({ path, body }) {
      channel ??= openGrpcChannel(`127.0.0.1:${port}`)
      const { status, statusText, metadata, message } = await channel.call(path, {}, body)
      if (status !== 'OK') throw new Error(`answered gRPC status ${status}: ${statusText}`)
      return { headers: metadata, body: Buffer.from(message) }
    },
    [Symbol.dispose]: () => void channel?.[Symbol.asyncDispose](),
  }
}

async function join(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}
