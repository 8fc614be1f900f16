import type { Clock } from '../../core/clock.ts'
import { RegattaError } from '../../core/errors.ts'
import { type Authorizer, createAuthorizer } from './auth.ts'
import { readCredentials } from './credentials.node.ts'
import { isLoopback, resolveLocation, type Trust, toPublicText } from './endpoint.ts'
import type { HttpAnswer, HttpAsk, HttpBody, Transport } from './http.node.ts'
import { openReach, type Reach, type ReachOptions, toError } from './reach.node.ts'
import { type RetryPolicy, retrying } from './retry.node.ts'

/** How to talk to registries. */
export interface RegistryOptions extends ReachOptions {
  /** Connections to share with others, and not to close. @default own ones */
  readonly reach?: Reach
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

const MAX_REDIRECTS = 5

/**
 * Finds the registry and asks what credentials it wants.
 *
 * @throws REGISTRY_UNREACHABLE, REGISTRY_NONE, CREDENTIALS, CERTIFICATES
 */
export async function openExchange(access: Access, options: RegistryOptions, signal: AbortSignal): Promise<Exchange> {
  const reach = options.reach ?? openReach(options)
  const close = async (): Promise<void> => {
    if (reach !== options.reach) await reach[Symbol.asyncDispose]()
  }
  try {
    const credentials = await readCredentials(access.registry, access.repository, options.env, signal)
    const { challenge, origin } = await reach.find(access.registry, signal)
    const trust = { origin, insecure: options.insecure ?? false }
    const send = (ask: HttpAsk): Promise<HttpAnswer> => reach.send('get a token', ask)
    const authorizer = createAuthorizer({ trust, credentials, scopes: toScopes(access), send, clock: options.clock })
    authorizer.renew(challenge, undefined)
    const { retry, transport } = reach
    const ask = (request: Request): Promise<HttpAnswer> =>
      askRegistry({ transport, authorizer, access, trust, retry, clock: options.clock }, request)
    return { access, trust, retry, ask, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

function toScopes({ mountFrom = [], push, repository }: Access): readonly string[] {
  const others = mountFrom.filter(other => other !== repository).map(other => `repository:${other}:pull`)
  return [`repository:${repository}:${push ? 'pull,push' : 'pull'}`, ...new Set(others)]
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

/** Whether the registry is on this machine. */
export function isLocal({ trust }: Exchange): boolean {
  return isLoopback(trust.origin.hostname)
}
