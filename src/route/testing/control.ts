import type { ServerResponse } from 'node:http'
import { type PredictionRecord, parseRecordBatch } from '../../core/wire/records.ts'
import type { Routes } from '../../core/wire/routes.ts'
import { type Seen, sendJson, startServer } from './upstream.ts'

/** The part of control that a gateway talks to: it keeps records by their key, as the store does. */
export interface TestControl extends AsyncDisposable {
  readonly url: string
  /** Every record that was new, in order. */
  readonly records: readonly PredictionRecord[]
  /** What the last batch told of drops, and how many batches came. */
  readonly dropped: number
  readonly batches: number
  /** The epochs that batches told of, each once, in order. */
  readonly epochs: readonly number[]
  readonly truths: readonly Seen[]
  /** Streams a line to every gateway that watches. */
  publish(line: Routes | string): void
  /** Ends the streams of routes. */
  hangUp(): void
}

/** How a test's control behaves. */
export interface TestControlOptions {
  readonly port?: number
  readonly token?: string
  readonly routes?: Routes
  /** Answers a batch in place of storing it, where it returns true. */
  readonly onBatch?: (seen: Seen, response: ServerResponse) => boolean
}

/** Starts it. */
export async function startControl(options: TestControlOptions = {}): Promise<TestControl> {
  const records = new Map<string, PredictionRecord>()
  const watchers = new Set<ServerResponse>()
  const truths: Seen[] = []
  let dropped = 0
  let batches = 0
  const epochs = new Set<number>()
  let current = options.routes
  const server = await startServer((seen, response) => {
    if (seen.url.split('?')[0] === '/truth') {
      truths.push(seen)
      return sendJson(response, 200, { schema: 'regatta/truth/v1', new: 1 })
    }
    if (seen.headers.authorization !== `Bearer ${options.token ?? 'secret-token'}`)
      return sendJson(response, 401, { error: { code: 'UNAUTHENTICATED' } })
    if (seen.url === '/api/v1/routes?watch=1') {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' }).flushHeaders()
      if (current !== undefined) response.write(`${JSON.stringify(current)}\n`)
      watchers.add(response)
      response.once('close', () => watchers.delete(response))
      return
    }
    if (seen.url !== '/api/v1/records') return sendJson(response, 404, {})
    batches += 1
    if (options.onBatch?.(seen, response)) return
    const batch = parseRecordBatch(JSON.parse(seen.body))
    dropped = batch.dropped
    if (batch.epoch !== undefined) epochs.add(batch.epoch)
    for (const record of batch.records) {
      const key = `${record.request}/${record.variant}`
      if (!records.has(key)) records.set(key, record)
    }
    sendJson(response, 200, { schema: 'regatta/records-stored/v1', added: 0, joined: 0 })
  }, options.port)
  return {
    url: server.url,
    truths,
    get records() {
      return [...records.values()]
    },
    get dropped() {
      return dropped
    },
    get epochs() {
      return [...epochs]
    },
    get batches() {
      return batches
    },
    publish(line) {
      if (typeof line !== 'string') current = line
      for (const watcher of watchers) watcher.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
    },
    hangUp() {
      for (const watcher of watchers) watcher.destroy()
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
