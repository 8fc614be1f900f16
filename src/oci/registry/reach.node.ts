import type { Clock } from '../../core/clock.ts'
import { RegattaError } from '../../core/errors.ts'
import { toOrigins, toPublicText } from './endpoint.ts'
import { isRetryable, RegistryError, toAnswerError } from './errors.ts'
import { type HttpAnswer, type HttpAsk, openTransport, type Transport, type TransportOptions } from './http.node.ts'
import { parseRetryAfter, RETRY, type RetryPolicy, retrying } from './retry.node.ts'
import { withWarnings } from './warning.ts'

/** What is known of how to reach registries. */
export interface ReachOptions extends TransportOptions {
  readonly clock: Clock
  /** Plain HTTP is allowed for every host, not only for this machine. @default false */
  readonly insecure?: boolean
  readonly retry?: Partial<RetryPolicy>
  /** Told what registries warn of, each once. @default nobody */
  readonly onWarning?: (text: string) => void
}

/** Connections to registries, and what was found at their addresses. Disposal closes them all. */
export interface Reach extends AsyncDisposable {
  /** Sends until the answer is none that another attempt may better. `action` is for errors. */
  readonly send: (action: string, ask: HttpAsk) => Promise<HttpAnswer>
  /** Sends once. */
  readonly transport: Transport
  readonly retry: RetryPolicy
  /**
   * Finds a registry, once. Source: distribution-spec v1.1.1, "Determining Support".
   * @throws REGISTRY_UNREACHABLE, REGISTRY_NONE
   */
  readonly find: (registry: string, signal: AbortSignal) => Promise<FoundRegistry>
}

/** A registry that has answered. */
export interface FoundRegistry {
  readonly origin: URL
  /** `WWW-Authenticate`. */
  readonly challenge: string | undefined
}

/** Errors quote at most these many bytes of an answer. */
const MAX_ERROR_BYTES = 64 * 1024
const PING_ATTEMPTS = 3

/** Opens connections when they are needed. */
export function openReach(options: ReachOptions): Reach {
  const transport = withWarnings(openTransport(options), options.onWarning ?? (() => undefined))
  const retry = { ...RETRY, ...options.retry }
  const found = new Map<string, Promise<FoundRegistry>>()
  const send = (action: string, ask: HttpAsk, policy = retry): Promise<HttpAnswer> =>
    retrying(policy, ask.signal, async () => {
      const answer = await transport.send(ask)
      if (isRetryable(answer.status)) throw await toError(action, answer, options.clock())
      return answer
    })
  const attempts = Math.min(PING_ATTEMPTS, retry.attempts)
  const ping: Ping = (registry, origin, signal) =>
    pingRegistry((action, ask) => send(action, ask, { ...retry, attempts }), registry, origin, signal)
  return {
    send,
    transport,
    retry,
    find(registry, signal) {
      const known = found.get(registry) ?? findRegistry(ping, registry, options.insecure ?? false, signal)
      found.set(registry, known)
      // What failed may do better the next time.
      known.catch(() => found.delete(registry))
      return known
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  }
}

type Ping = (registry: string, origin: URL, signal: AbortSignal) => Promise<FoundRegistry>

async function findRegistry(
  ping: Ping,
  registry: string,
  insecure: boolean,
  signal: AbortSignal,
): Promise<FoundRegistry> {
  const [first, second] = toOrigins(registry, insecure)
  return await ping(registry, first, signal).catch(async error => {
    // The other protocol is tried only where this one does not speak at all; a bad certificate is an answer.
    const speaks = !(error instanceof RegattaError) || error.code !== 'REGISTRY_UNREACHABLE' || isCertificate(error)
    if (second === undefined || (speaks && !isPlainRefusal(error))) throw error
    return await ping(registry, second, signal)
  })
}

async function pingRegistry(
  send: Reach['send'],
  registry: string,
  origin: URL,
  signal: AbortSignal,
): Promise<FoundRegistry> {
  const action = `reach registry ${registry}`
  const answer = await send(action, { method: 'GET', url: new URL('/v2/', origin), headers: {}, signal })
  const text = await answer.readText(MAX_ERROR_BYTES)
  const { headers, status } = answer
  const isPage = /html/i.test(headers['content-type'] ?? '') || /^\s*<(!doctype|html)/i.test(text)
  if ((status === 200 || status === 401 || status === 403) && !isPage) {
    return { origin, challenge: headers['www-authenticate'] }
  }
  if (status === 400) throw toAnswerError(action, { ...answer, text })
  const found = isPage ? `a web page (${status})` : `${status}`
  throw new RegattaError(
    'REGISTRY_NONE',
    `Cannot use ${registry} as a registry: expected 200 or 401 for /v2/, found ${found}`,
    { where: toPublicText(answer.url), fix: 'Check the host and the port before the first / of the reference' },
  )
}

/** A server of TLS answers plain HTTP with 400. */
function isPlainRefusal(error: unknown): boolean {
  return error instanceof RegistryError && error.status === 400
}

function isCertificate(error: RegattaError): boolean {
  const { cause } = error
  return cause instanceof Error && 'code' in cause && /CERT|SELF_SIGNED|UNABLE_TO_/.test(String(cause.code))
}

/** The error of an answer that was not wanted, with the registry's own words. */
export async function toError(action: string, answer: HttpAnswer, now: number): Promise<RegistryError> {
  const text = await answer.readText(MAX_ERROR_BYTES).catch(() => '')
  const askedMs = parseRetryAfter(answer.headers['retry-after'], now)
  const { method, status, url } = answer
  return toAnswerError(action, { method, status, url, text, askedMs })
}
