import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { getCACertificates } from 'node:tls'
import type { Dispatcher } from 'undici'
import { RegattaError, toErrorText, toSystemCode } from '../../core/errors.ts'
import { toPublicText } from './endpoint.ts'

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
const CONNECT_TIMEOUT_MS = 10_000
/** Fewer bytes than these within the time of patience are no progress. */
const PROGRESS_BYTES = 16 * 1024
/** A registry may have to move a whole blob before it answers to its last byte. */
const COMMIT_PATIENCE = 5
const USER_AGENT = 'regatta'

/** Opens connections to registries. @throws CERTIFICATES */
export async function openTransport({ env, patienceMs = PATIENCE_MS }: TransportOptions): Promise<Transport> {
  const dispatcher = await openDispatcher(env)
  return {
    send: ask => send(dispatcher, ask, patienceMs),
    async [Symbol.asyncDispose]() {
      await dispatcher.destroy()
    },
  }
}

async function openDispatcher(env: TransportOptions['env']): Promise<Dispatcher> {
  // Loaded here, since most commands have no use for it.
  const { Agent, EnvHttpProxyAgent } = await import('undici')
  const pick = (name: string): string | undefined => (env[name.toLowerCase()] || env[name]) ?? undefined
  const httpProxy = pick('HTTP_PROXY')
  const httpsProxy = pick('HTTPS_PROXY')
  const ca = readAuthorities(env['SSL_CERT_FILE'])
  const connect = { timeout: CONNECT_TIMEOUT_MS, ...(ca && { ca: [...ca] }) }
  // The guard below knows what patience is due; undici's own clocks do not know how long a commit takes.
  const common = { headersTimeout: 0, bodyTimeout: 0, connect }
  if (!httpProxy && !httpsProxy) return new Agent(common)
  const noProxy = [pick('NO_PROXY'), 'localhost', '127.0.0.1', '::1', '[::1]'].filter(Boolean).join(',')
  // An empty text keeps undici from looking into the process's own environment.
  return new EnvHttpProxyAgent({
    ...common,
    httpProxy: httpProxy ?? '',
    httpsProxy: httpsProxy ?? httpProxy ?? '',
    noProxy,
    ...(ca && { requestTls: { ca: [...ca] }, proxyTls: { ca: [...ca] } }),
  })
}

/** Node's authorities and those of the file, or undefined where there is none to add. */
function readAuthorities(path: string | undefined): readonly string[] | undefined {
  if (path === undefined || path === '') return undefined
  try {
    return [...getCACertificates('default'), readFileSync(path, 'utf8')]
  } catch (cause) {
    throw new RegattaError('CERTIFICATES', `Cannot read SSL_CERT_FILE "${path}": ${toErrorText(cause)}`, {
      fix: 'Name a file of certificates in PEM, or unset the variable',
      cause,
    })
  }
}

async function send(dispatcher: Dispatcher, ask: HttpAsk, patienceMs: number): Promise<HttpAnswer> {
  const { body, headers, method, signal, url } = ask
  signal.throwIfAborted()
  const guard = openGuard(patienceMs, `${method} ${toPublicText(url)}`)
  try {
    const answer = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers: {
        'user-agent': USER_AGENT,
        ...headers,
        ...(body !== undefined && { 'content-length': String(body.sizeBytes) }),
      },
      body: body === undefined ? null : toBody(body, guard),
      signal: AbortSignal.any([signal, guard.signal]),
    })
    guard.start()
    return toAnswer(ask, answer, guard)
  } catch (error) {
    guard.stop()
    throw toNetworkError(error, ask, guard)
  }
}

function toBody({ open, sizeBytes }: HttpBody, guard: Guard): Readable | Uint8Array {
  const content = open()
  if (content instanceof Uint8Array) return content
  return Readable.from(watch(content, sizeBytes, guard), { objectMode: false })
}

async function* watch(chunks: AsyncIterable<Uint8Array>, sizeBytes: number, guard: Guard): AsyncIterable<Uint8Array> {
  let sent = 0
  for await (const chunk of chunks) {
    guard.move(chunk.byteLength)
    sent += chunk.byteLength
    if (sent === sizeBytes) guard.start(COMMIT_PATIENCE)
    yield chunk
  }
}

function toAnswer(ask: HttpAsk, answer: Dispatcher.ResponseData, guard: Guard): HttpAnswer {
  const read = async function* (): AsyncIterable<Uint8Array> {
    try {
      for await (const chunk of answer.body) {
        const bytes: Uint8Array = chunk
        guard.move(bytes.byteLength)
        yield bytes
      }
    } catch (error) {
      throw toNetworkError(error, ask, guard)
    } finally {
      guard.stop()
    }
  }
  const readText = async (maxBytes: number): Promise<string> => {
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of read()) {
      chunks.push(chunk)
      length += chunk.byteLength
      if (length >= maxBytes) break
    }
    return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, maxBytes))
  }
  return {
    method: ask.method,
    url: ask.url,
    status: answer.statusCode,
    headers: Object.fromEntries(
      Object.entries(answer.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
    ),
    body: read(),
    readText,
    async close() {
      guard.stop()
      // The abort of a body that nobody reads is no news.
      answer.body.on('error', () => undefined)
      await answer.body.dump({ limit: PROGRESS_BYTES }).catch(() => undefined)
    },
  }
}

/** Aborts an exchange in which too little moves. */
interface Guard {
  readonly signal: AbortSignal
  /** Bytes went either way. */
  readonly move: (bytes: number) => void
  /** Starts a new wait, `times` as long as usual. */
  readonly start: (times?: number) => void
  readonly stop: () => void
}

function openGuard(patienceMs: number, where: string): Guard {
  const abort = new AbortController()
  let moved = 0
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const start = (times = 1): void => {
    clearTimeout(timer)
    // A body may still be read from where the answer has come already; its clock would keep the process alive.
    if (stopped) return
    moved = 0
    timer = setTimeout(() => abort.abort(toSlow(patienceMs * times, where)), patienceMs * times)
  }
  start()
  return {
    signal: abort.signal,
    start,
    move(bytes) {
      moved += bytes
      if (moved < PROGRESS_BYTES || stopped) return
      moved = 0
      timer?.refresh()
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

function toSlow(ms: number, where: string): RegattaError {
  return new RegattaError(
    'REGISTRY_SLOW',
    `Cannot wait for the registry any longer: nothing moved for ${ms / 1000} s`,
    {
      where,
      fix: 'Check the network and the registry, then run the same command again',
      retryable: true,
    },
  )
}

/** No retry mends these. */
const LASTING = /^(ENOTFOUND|ERR_TLS_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_SSL_|EPROTO|ERR_INVALID)/

function toNetworkError(error: unknown, { method, signal, url }: HttpAsk, guard: Guard): unknown {
  if (signal.aborted) return signal.reason
  if (guard.signal.aborted) return guard.signal.reason
  // A reader of ours failed, such as one of a file.
  if (error instanceof RegattaError) return error
  const code = toSystemCode(error) ?? ''
  const certificate = /CERT|SELF_SIGNED|UNABLE_TO_/.test(code)
  return new RegattaError('REGISTRY_UNREACHABLE', `Cannot reach registry ${url.host}`, {
    where: `${method} ${toPublicText(url)}`,
    fix: certificate
      ? 'Name the file of the authority that signed it in SSL_CERT_FILE or NODE_EXTRA_CA_CERTS'
      : 'Check the name, the port, the network and, where there is a proxy, HTTPS_PROXY and NO_PROXY',
    cause: error,
    retryable: !LASTING.test(code),
  })
}
