import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request that a test's server got, whole. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly bytes: Buffer
}

/** A small HTTP server on a free port. Disposal breaks what is in flight. */
export interface TestServer extends AsyncDisposable {
  readonly url: string
  readonly seen: readonly Seen[]
  /** Forgets every connection at once, as a killed process would. */
  breakConnections(): void
}

/** Answers one request in its own time. */
export type Answer = (seen: Seen, response: ServerResponse) => void | Promise<void>

/** Starts a server; `port` is 0 for a free one. */
export async function startServer(answer: Answer, port = 0): Promise<TestServer> {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk)
    } catch {
      return
    }
    const { method = '', url = '', headers } = request
    const bytes = Buffer.concat(chunks)
    const item = { method, url, headers, body: bytes.toString(), bytes }
    seen.push(item)
    await answer(item, response)
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${bound}`,
    seen,
    breakConnections: () => server.closeAllConnections(),
    async [Symbol.asyncDispose]() {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/** Sends JSON. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Answers every prediction with one row of this value. */
export function predicting(value: number): Answer {
  return (_seen, response) => sendJson(response, 200, { predictions: [[value]] })
}

/** Never answers. */
export const hanging: Answer = () => {}
