/** Bounds of a feed. */
export interface FeedOptions {
  readonly maxClients: number
  /** Items that may wait for one client. */
  readonly maxWaiting: number
  /**
   * What becomes of a client that is slower than that: `drop` ends its stream, `skip` keeps only the newest item
   * for it (where each item replaces the one before).
   */
  readonly whenSlow: 'drop' | 'skip'
}

interface Client {
  waiting: Uint8Array[]
  ended: boolean
  wake: () => void
}

/**
 * Hands each published chunk to every client, none of which can hold up the others or fill the memory.
 *
 * Two streams of control are feeds, both with the token of their scope as `Authorization: Bearer TOKEN`:
 * - `GET /api/v1/routes?watch=1` (scope `gateway`): 200, `application/x-ndjson`. Each line is one whole document of
 *   routes (`src/core/wire/routes.ts`) that replaces the one before; the first comes at once where something was ever
 *   deployed. A blank line every 10 s is a sign of life: after 30 s of silence the reader connects anew. A deployment
 *   that was deleted is a line without variants. Lines may be skipped for a slow reader, the newest never.
 *   Without `watch` the answer is one document, or 404 NOTHING_DEPLOYED.
 * - `GET /api/v1/events` (scope `read`, open on a loopback address): server-sent events, `event:` the kind and `data:`
 *   the JSON of `EventJson`; a comment line every 10 s. A reader too slow is cut off and connects anew.
 *
 * Both end when control closes, with the end of the body.
 */
export class Feed {
  readonly #options: FeedOptions
  readonly #clients = new Set<Client>()
  #dropped = 0
  #closed = false

  constructor(options: FeedOptions) {
    this.#options = options
  }

  /** Streams that are open now. */
  get clients(): number {
    return this.#clients.size
  }

  /** Clients that were dropped for being slow. */
  get dropped(): number {
    return this.#dropped
  }

  /** Sends a chunk to every client. */
  publish(chunk: Uint8Array): void {
    for (const client of this.#clients) this.#offer(client, chunk)
  }

  /** Sends a sign of life to the clients that wait for nothing else. */
  beat(chunk: Uint8Array): void {
    for (const client of this.#clients) if (client.waiting.length === 0) this.#offer(client, chunk)
  }

  /**
   * Opens a stream that begins with `first` and ends with the signal; undefined where `maxClients` have one or
   * the feed is closed. A client counts until its stream was read to the end or given up.
   */
  open(first: readonly Uint8Array[], signal: AbortSignal): AsyncIterable<Uint8Array> | undefined {
    if (this.#closed || this.#clients.size >= this.#options.maxClients) return undefined
    const client: Client = { waiting: [...first], ended: false, wake: () => {} }
    this.#clients.add(client)
    return this.#read(client, signal)
  }

  /** Ends every stream after what it still has waiting. */
  close(): void {
    this.#closed = true
    for (const client of this.#clients) end(client)
  }

  #offer(client: Client, chunk: Uint8Array): void {
    if (client.ended) return
    if (client.waiting.length >= this.#options.maxWaiting) {
      if (this.#options.whenSlow === 'drop') {
        this.#dropped += 1
        client.waiting = []
        end(client)
        return
      }
      client.waiting = []
    }
    client.waiting.push(chunk)
    client.wake()
  }

  async *#read(client: Client, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const onAbort = (): void => end(client)
    signal.addEventListener('abort', onAbort)
    try {
      while (!signal.aborted) {
        const chunk = client.waiting.shift()
        if (chunk !== undefined) yield chunk
        else if (client.ended) return
        else await new Promise<void>(resolve => (client.wake = resolve))
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#clients.delete(client)
    }
  }
}

function end(client: Client): void {
  client.ended = true
  client.wake()
}
