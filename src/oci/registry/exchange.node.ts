import type { Clock } from '../../core/clock.ts'
import { RegattaError } from '../../core/errors.ts'
import { type Authorizer, createAuthorizer } from './auth.ts'
import { readCredentials } from './credentials.node.ts'
import { isLoopback, resolveLocation, type Trust, toOrigins, toPublicText } from './endpoint.ts'
import { isRetryable, RegistryError, toAnswerError } from './errors.ts'
import { type HttpAnswer, type HttpAsk, type HttpBody, openTransport, type Transport } from './http.node.ts'
import { parseRetryAfter, RETRY, type RetryPolicy, retrying } from './retry.node.ts'

/** How to talk to registries. */
export interface RegistryOptions {
  /** Proxies, certificates, and where credentials lie. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Plain HTTP is allowed for every host, not only for this machine. @default false */
  readonly insecure?: boolean
  /** Longest time in which nothing moves, ms. @default 60_000 */
  readonly patienceMs?: number
  readonly retry?: Partial<RetryPolicy>
}

/** What is going to be done in a repository, which decides the rights that are asked for. */
export interface Access {
  readonly registry: string
  readonly repository: string
  readonly push: boolean
  /** Other repositories of this registry that blobs may be mounted from. */
  readonly mountFrom?: readonly string[]
}

/** One request to a repository. */
export interface Request {
  /** What it is for, in the words of an error: `read the manifest of …`. */
  readonly action: string
  readonly method: HttpAsk['method']
  /** An absolute address, or a path below the repository's: `manifests/1`. */
  readonly to: URL | string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: HttpBody
  /** Statuses that the caller acts on; all others are errors. */
  readonly expect: readonly number[]
  /** Fails at once where the body cannot simply be sent again. @default true */
  readonly retry?: boolean
  readonly signal: AbortSignal
}

/** Requests to one repository: with its credentials, redirects followed, tried again where that may help. */
export interface Exchange extends AsyncDisposable {
  readonly access: Access
  readonly trust: Trust
  readonly retry: RetryPolicy
  readonly ask: (request: Request) => Promise<HttpAnswer>
}

/** Errors quote at most these many bytes of an answer. */
const MAX_ERROR_BYTES = 64 * 1024
const MAX_REDIRECTS = 5
const PING_ATTEMPTS = 3

/**
 * Finds the registry and asks what credentials it wants. Source: distribution-spec v1.1.1, "Determining Support".
 *
 * @throws REGISTRY_UNREACHABLE, REGISTRY_NONE, CREDENTIALS, CERTIFICATES
 */
export async function openExchange(access: Access, options: RegistryOptions, signal: AbortSignal): Promise<Exchange> {
  const transport = openTransport(options)
  try {
    const retry = { ...RETRY, ...options.retry }
    const credentials = await readCredentials(access.registry, access.repository, options.env, signal)
    const { challenge, origin } = await findRegistry(transport, access.registry, options, retry, signal)
    const trust = { origin, insecure: options.insecure ?? false }
    const scopes = toScopes(access)
    const send = (ask: HttpAsk): Promise<HttpAnswer> => sendPatiently(transport, 'get a token', ask, retry, options)
    const authorizer = createAuthorizer({ trust, credentials, scopes, send, clock: options.clock })
    authorizer.renew(challenge, undefined)
    const ask = (request: Request): Promise<HttpAnswer> =>
      askRegistry({ transport, authorizer, access, trust, retry, clock: options.clock }, request)
    return { access, trust, retry, ask, [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose]() }
  } catch (error) {
    await transport[Symbol.asyncDispose]()
    throw error
  }
}

function toScopes({ mountFrom = [], push, repository }: Access): readonly string[] {
  const others = mountFrom.filter(other => other !== repository).map(other => `repository:${other}:pull`)
  return [`repository:${repository}:${push ? 'pull,push' : 'pull'}`, ...new Set(others)]
}

interface Found {
  readonly origin: URL
  /** `WWW-Authenticate`. */
  readonly challenge: string | undefined
}

async function findRegistry(
  transport: Transport,
  registry: string,
  options: RegistryOptions,
  retry: RetryPolicy,
  signal: AbortSignal,
): Promise<Found> {
  const [first, second] = toOrigins(registry, options.insecure ?? false)
  const ping = (origin: URL): Promise<Found> => pingRegistry(transport, registry, origin, options, retry, signal)
  return await ping(first).catch(async error => {
    // The other protocol is tried only where this one does not speak at all; a bad certificate is an answer.
    const speaks = !(error instanceof RegattaError) || error.code !== 'REGISTRY_UNREACHABLE' || isCertificate(error)
    if (second === undefined || (speaks && !isPlainRefusal(error))) throw error
    return await ping(second)
  })
}

async function pingRegistry(
  transport: Transport,
  registry: string,
  origin: URL,
  options: RegistryOptions,
  retry: RetryPolicy,
  signal: AbortSignal,
): Promise<Found> {
  const ask: HttpAsk = { method: 'GET', url: new URL('/v2/', origin), headers: {}, signal }
  const attempts = Math.min(PING_ATTEMPTS, retry.attempts)
  const answer = await sendPatiently(transport, `reach registry ${registry}`, ask, { ...retry, attempts }, options)
  const text = await answer.readText(MAX_ERROR_BYTES)
  const { headers, status } = answer
  const isPage = /html/i.test(headers['content-type'] ?? '') || /^\s*<(!doctype|html)/i.test(text)
  if ((status === 200 || status === 401 || status === 403) && !isPage) {
    return { origin, challenge: headers['www-authenticate'] }
  }
  if (status === 400) throw toAnswerError(`reach registry ${registry}`, { ...answer, text })
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

/** Sends until the answer is none that another attempt may better. */
async function sendPatiently(
  transport: Transport,
  action: string,
  ask: HttpAsk,
  retry: RetryPolicy,
  { clock }: Pick<RegistryOptions, 'clock'>,
): Promise<HttpAnswer> {
  return await retrying(retry, ask.signal, async () => {
    const answer = await transport.send(ask)
    if (isRetryable(answer.status)) throw await toError(action, answer, clock())
    return answer
  })
}

interface Wiring extends Pick<Exchange, 'access' | 'trust' | 'retry'> {
  readonly transport: Transport
  readonly authorizer: Authorizer
  readonly clock: Clock
}

async function askRegistry(wiring: Wiring, request: Request): Promise<HttpAnswer> {
  const { access, clock, retry, trust } = wiring
  const url = request.to instanceof URL ? request.to : new URL(`/v2/${access.repository}/${request.to}`, trust.origin)
  const policy = request.retry === false ? { ...retry, attempts: 1 } : retry
  return await retrying(policy, request.signal, async () => {
    const answer = await askOnce(wiring, request, url)
    if (request.expect.includes(answer.status)) return answer
    throw await toError(request.action, answer, clock())
  })
}

/** One attempt: a refused token is renewed once, redirects are followed. */
async function askOnce(wiring: Wiring, request: Request, url: URL): Promise<HttpAnswer> {
  const { authorizer, trust } = wiring
  let target = url
  let renewed = false
  for (let redirects = 0; redirects <= MAX_REDIRECTS; ) {
    const isOwn = target.origin === trust.origin.origin
    const authorization = isOwn ? await authorizer.toHeader(request.signal) : undefined
    const answer = await sendTo(wiring, request, target, authorization)
    const { headers, status } = answer
    if (status === 401 && isOwn && !renewed) {
      renewed = true
      authorizer.renew(headers['www-authenticate'], authorization)
      await answer.close()
    } else if (isRedirect(status) && headers['location'] !== undefined) {
      redirects += 1
      await answer.close()
      target = resolveLocation(headers['location'], target, trust)
    } else return answer
  }
  throw new RegattaError('REGISTRY_LOCATION', `Cannot ${request.action}: more than ${MAX_REDIRECTS} redirects`, {
    where: toPublicText(target),
  })
}

/** 301 and 302 are followed with the same method, as 307 and 308 are: a registry means no page to read. */
function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 307 || status === 308
}

async function sendTo(
  { transport }: Wiring,
  { body, headers = {}, method, signal }: Request,
  url: URL,
  authorization: string | undefined,
): Promise<HttpAnswer> {
  return await transport.send({
    method,
    url,
    headers: { ...headers, ...(authorization !== undefined && { authorization }) },
    ...(body && { body }),
    signal,
  })
}

async function toError(action: string, answer: HttpAnswer, now: number): Promise<RegistryError> {
  const text = await answer.readText(MAX_ERROR_BYTES).catch(() => '')
  const askedMs = parseRetryAfter(answer.headers['retry-after'], now)
  const { method, status, url } = answer
  return toAnswerError(action, { method, status, url, text, askedMs })
}

/** Whether the registry is on this machine. */
export function isLocal({ trust }: Exchange): boolean {
  return isLoopback(trust.origin.hostname)
}
