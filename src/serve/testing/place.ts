import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ServerOptions, startServer, toSingleModel } from '../index.ts'

/** A model's base path with the given versions, below the system's temporary folder; removed on disposal. */
export async function openPlace(versions: Readonly<Record<string, Uint8Array>> = {}) {
  const basePath = await mkdtemp(join(tmpdir(), 'regatta-serve-'))
  for (const [version, model] of Object.entries(versions)) {
    await mkdir(join(basePath, version))
    await writeFile(join(basePath, version, 'model.onnx'), model)
  }
  return {
    basePath,
    async [Symbol.asyncDispose]() {
      await rm(basePath, { recursive: true, force: true })
    },
  }
}

/** What a request was answered with. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** A server of one model in this process, named `m`, version 1; stopped on disposal. */
export async function openServer(model: Uint8Array, options: Partial<ServerOptions> = {}) {
  const place = await openPlace({ 1: model })
  const stop = new AbortController()
  const models = [toSingleModel('m', place.basePath)]
  const server = await startServer({ models, httpPort: 0, ...options }, stop.signal)
  return {
    ...server,
    basePath: place.basePath,
    stop: () => stop.abort(),
    /** Asks for a path; with a body (a text as it is, anything else as JSON), posts. */
    async ask(path: string, body?: unknown, init: RequestInit = {}): Promise<Answer> {
      const post = { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }
      const response = await fetch(`${server.url}${path}`, { ...(body === undefined ? {} : post), ...init })
      return { status: response.status, headers: response.headers, text: await response.text() }
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await server.closed
      await place[Symbol.asyncDispose]()
    },
  }
}
