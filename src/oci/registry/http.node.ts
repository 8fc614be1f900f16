import type { ClientRequest, IncomingMessage } from 'node:http'
import { drained } from '../../core/drained.node.ts'
import { RegattaError, toSystemCode } from '../../core/errors.ts'
import { type Agents, openAgents } from './agents.node.ts'
import { toPublicText } from './endpoint.ts'
import { type Guard, openGuard } from './guard.node.ts'

/** A body that can be made again, so that a request can be sent again. Its length is known. */
export interface HttpBody {
  readonly sizeBytes: number
  readonly open: () => Uint8Array | AsyncIterable<Uint8Array>
}

/** One HTTP request. */
export interface HttpAsk {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: HttpBody
  readonly signal: AbortSignal
}

/** Its answer, redirects not followed. The body must be read to its end or closed. */
export interface HttpAnswer {
  readonly method: string
  readonly url: URL
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Ends in a throw where it stalls or breaks off. */
  readonly body: AsyncIterable<Uint8Array>
  /** Reads the body as far as `maxBytes`, and no further. */
  readonly readText: (maxBytes: number) => Promise<string>
  /** Gives the connection back without the rest of the body. */
  readonly close: () => Promise<void>
}

/** Sends requests over kept connections. Disposal closes them all. */
export interface Transport extends AsyncDisposable {
  readonly send: (ask: HttpAsk) => Promise<HttpAnswer>
}

/** How to reach the network. */
export interface TransportOptions {
  /** `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` (and in lower case), `SSL_CERT_FILE`; Node itself honours `NODE_EXTRA_CA_CERTS`. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Longest time in which nothing moves (less than 16 KiB of a body), ms. @default 60_000 */
  readonly patienceMs?: number
}

const PATIENCE_MS = 60_000
/** A registry may have to move a whole blob before it answers to its last byte. */
const COMMIT_PATIENCE = 5
/** Of a body that nobody wants: to read a little more is quicker than a new connection. */
const DUMPED_BYTES = 16 * 1024
const USER_AGENT = 'regatta'

/** Opens connections to registries, when they are needed. */
export function openTransport({ env, patienceMs = PATIENCE_MS }: TransportOptions): Transport {
  const agents = openAgents(env)
  return {
    send: ask => send(agents, ask, patienceMs),
    async [Symbol.asyncDispose]() {
      agents.destroy()
    },
  }
}

/** A request on its way. */
interface Exchange {
  readonly ask: HttpAsk
  readonly outgoing: ClientRequest
  readonly guard: Guard
  /** Ends what watches over it. */
  readonly stop: () => void
}

async function send(agents: Agents, ask: HttpAsk, patienceMs: number): Promise<HttpAnswer> {
  const { method, signal, url } = ask
  signal.throwIfAborted()
  const outgoing = openRequest(agents, ask)
  const abort = (): void => void outgoing.destroy()
  const guard = openGuard(patienceMs, `${method} ${toPublicText(url)}`, abort)
  signal.addEventListener('abort', abort)
  const stop = (): void => {
    guard.stop()
    signal.removeEventListener('abort', abort)
  }
  const exchange: Exchange = { ask, outgoing, guard, stop }
  try {
    const incoming = await answered(exchange)
    guard.start()
    return toAnswer(exchange, incoming)
  } catch (error) {
    stop()
    outgoing.destroy()
    throw toNetworkError(error, exchange)
  }
}

function openRequest(agents: Agents, ask: HttpAsk): ClientRequest {
  const { body, headers, method, url } = ask
  const length = body === undefined ? {} : { 'content-length': String(body.sizeBytes) }
  try {
    return agents.openRequest(url, {
      method,
      path: `${url.pathname}${url.search}`,
      headers: { 'user-agent': USER_AGENT, ...headers, ...length },
    })
  } catch (error) {
    // Such as a proxy whose name is no address.
    throw error instanceof RegattaError ? error : toUnreachable(error, ask)
  }
}

/** Sends the body, and waits for the answer, which may come before the body is sent. */
function answered({ ask, guard, outgoing }: Exchange): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // It stays: what fails after the answer has come shows there.
    outgoing.on('error', reject)
    const stop = new AbortController()
    outgoing.once('response', incoming => {
      stop.abort()
      resolve(incoming)
    })
    if (ask.body === undefined) outgoing.end()
    else sendBody(outgoing, ask.body, guard, stop.signal).catch(reject)
  })
}

async function sendBody(
  outgoing: ClientRequest,
  { open, sizeBytes }: HttpBody,
  guard: Guard,
  stop: AbortSignal,
): Promise<void> {
  const content = open()
  let sent = 0
  for await (const chunk of content instanceof Uint8Array ? [content] : content) {
    if (outgoing.destroyed || (stop.aborted && sent < sizeBytes)) return
    guard.move(chunk.byteLength)
    sent += chunk.byteLength
    if (sent === sizeBytes) guard.start(COMMIT_PATIENCE)
    if (!outgoing.write(chunk)) await drained(outgoing)
  }
  outgoing.end()
}

function toAnswer(exchange: Exchange, incoming: IncomingMessage): HttpAnswer {
  const { ask, guard, outgoing, stop } = exchange
  const read = async function* (): AsyncIterable<Uint8Array> {
    try {
      for await (const chunk of incoming) {
        const bytes: Uint8Array = chunk
        guard.move(bytes.byteLength)
        yield bytes
      }
    } catch (error) {
      throw toNetworkError(error, exchange)
    } finally {
      stop()
      // Answered before all was sent: the connection is of no more use.
      if (!outgoing.writableEnded) outgoing.destroy()
    }
  }
  const readSome = async (maxBytes: number): Promise<Uint8Array> => {
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of read()) {
      chunks.push(chunk)
      length += chunk.byteLength
      if (length >= maxBytes) break
    }
    return Buffer.concat(chunks).subarray(0, maxBytes)
  }
  return {
    method: ask.method,
    url: ask.url,
    status: incoming.statusCode ?? 0,
    headers: Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
    ),
    body: read(),
    readText: async maxBytes => new TextDecoder().decode(await readSome(maxBytes)),
    close: async () => {
      guard.stop()
      // A body that nobody reads may break off.
      await readSome(DUMPED_BYTES).catch(() => undefined)
    },
  }
}

/** No retry mends these. */
const LASTING = /^(ENOTFOUND|ERR_TLS_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_SSL_|EPROTO|ERR_INVALID)/

function toNetworkError(error: unknown, { ask, guard }: Exchange): unknown {
  if (ask.signal.aborted) return ask.signal.reason
  if (guard.problem !== undefined) return guard.problem
  // A reader of ours failed, such as one of a file.
  return error instanceof RegattaError ? error : toUnreachable(error, ask)
}

function toUnreachable(cause: unknown, { method, url }: HttpAsk): RegattaError {
  const code = toSystemCode(cause) ?? ''
  const certificate = /CERT|SELF_SIGNED|UNABLE_TO_/.test(code)
  return new RegattaError('REGISTRY_UNREACHABLE', `Cannot reach registry ${url.host}`, {
    where: `${method} ${toPublicText(url)}`,
    fix: certificate
      ? 'Name the file of the authority that signed it in SSL_CERT_FILE or NODE_EXTRA_CA_CERTS'
      : 'Check the name, the port, the network and, where there is a proxy, HTTPS_PROXY and NO_PROXY',
    cause,
    retryable: !LASTING.test(code),
  })
}
