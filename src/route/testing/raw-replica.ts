import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** A replica of bytes: what it answers is up to the test. Disposal breaks every connection. */
export interface RawReplica extends AsyncDisposable {
  readonly url: string
  /** Connections that it was asked on. */
  readonly connections: readonly Socket[]
  /** Requests that came, heads and bodies as they were. */
  readonly requests: readonly string[]
}

const HEAD_END = '\r\n\r\n'

/** Starts it; `answer` is called with each whole request. */
export async function startRawReplica(answer: (socket: Socket, request: string) => void): Promise<RawReplica> {
  const connections: Socket[] = []
  const requests: string[] = []
  const server = createServer(socket => {
    let text = ''
    connections.push(socket)
    socket.setEncoding('latin1').on('error', () => {})
    socket.on('data', chunk => {
      text += String(chunk)
      for (let end = toEnd(text); end !== -1 && end <= text.length; end = toEnd(text)) {
        const request = text.slice(0, end)
        text = text.slice(end)
        requests.push(request)
        answer(socket, request)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    requests,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Where the first request in a text ends; -1 before its head has. */
function toEnd(text: string): number {
  const end = text.indexOf(HEAD_END)
  if (end === -1) return -1
  return end + HEAD_END.length + Number(/^content-length: (\d+)$/im.exec(text.slice(0, end))?.[1] ?? 0)
}

/** A whole answer with one prediction, in bytes. */
export function toGood(value: number): string {
  const body = JSON.stringify({ predictions: [[value]] })
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}
