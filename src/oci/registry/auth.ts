import type { Clock } from '../../core/clock.ts'
import { isObject } from '../../core/json.ts'
import { type Challenge, parseChallenge } from './challenge.ts'
import type { Credentials } from './credentials.node.ts'
import { resolveLocation, type Trust } from './endpoint.ts'
import { RegistryError, toAnswerError } from './errors.ts'
import type { HttpAnswer, HttpAsk } from './http.node.ts'

/** Gives the `Authorization` of requests to one registry, and to no other host. */
export interface Authorizer {
  /** The header now; fetches a token where one is needed and the last one is about to expire. */
  readonly toHeader: (signal: AbortSignal) => Promise<string | undefined>
  /** Takes up the challenge of a 401. `used` is the header that was refused. */
  readonly renew: (challenge: string | undefined, used: string | undefined) => void
  /** Whether there are credentials at all. */
  readonly isAnonymous: () => boolean
}

/** What an authorizer needs. */
export interface AuthorizerOptions {
  readonly trust: Trust
  readonly credentials: Credentials | undefined
  /** `repository:NAME:pull,push`; the first is what it is about, the others may be refused. */
  readonly scopes: readonly string[]
  readonly send: (ask: HttpAsk) => Promise<HttpAnswer>
  readonly clock: Clock
}

interface Token {
  readonly header: string
  /** Epoch ms. */
  readonly expiresAt: number
}

/** The specification's default where a token server does not tell; also the least that is believed. */
const TOKEN_LIFE_MS = 60_000
/** A token is not used in its last seconds: the request has yet to arrive. */
const MARGIN_MS = 10_000
const MAX_TOKEN_BYTES = 256 * 1024
const CLIENT_ID = 'regatta'

/** Starts without a challenge: nothing is sent until the registry asks for it. */
export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const { clock, credentials } = options
  let challenge: Challenge | undefined
  let token: Token | undefined
  let pending: Promise<Token> | undefined

  async function toToken(bearer: BearerChallenge, signal: AbortSignal): Promise<string> {
    if (token !== undefined && clock() < token.expiresAt - MARGIN_MS) return token.header
    pending ??= fetchToken(bearer, options, signal).finally(() => {
      pending = undefined
    })
    token = await pending
    return token.header
  }

  return {
    async toHeader(signal) {
      if (challenge === undefined) return undefined
      if (credentials?.kind === 'registry') return `Bearer ${credentials.token}`
      if (challenge.scheme === 'basic') return credentials && toBasic(credentials)
      return await toToken(challenge, signal)
    },
    renew(header, used) {
      challenge = parseChallenge(header) ?? challenge
      // Another request may have brought a newer token already.
      if (token?.header === used) token = undefined
    },
    isAnonymous: () => credentials === undefined,
  }
}

type BearerChallenge = Extract<Challenge, { scheme: 'bearer' }>

/** Source: distribution.github.io, "Token Authentication Specification" and "OAuth2 Token Authentication". */
async function fetchToken(challenge: BearerChallenge, options: AuthorizerOptions, signal: AbortSignal): Promise<Token> {
  const own = options.scopes.slice(0, 1)
  const asked = challenge.scope === undefined ? [] : [challenge.scope]
  const all = [...new Set([...options.scopes, ...asked])]
  try {
    return await requestToken(challenge, all, options, signal)
  } catch (error) {
    // A server that refuses the whole for a part: what is needed most is asked for alone.
    if (all.length === own.length || !(error instanceof RegistryError)) throw error
    if (error.status !== 401 && error.status !== 403) throw error
    return await requestToken(challenge, own, options, signal)
  }
}

async function requestToken(
  challenge: BearerChallenge,
  scopes: readonly string[],
  { clock, credentials, send, trust }: AuthorizerOptions,
  signal: AbortSignal,
): Promise<Token> {
  const url = resolveLocation(challenge.realm, trust.origin, trust)
  const startedAt = clock()
  const answer = await send(
    credentials?.kind === 'identity'
      ? toRefreshAsk(url, challenge, scopes, credentials.token, signal)
      : toTokenAsk(url, challenge, scopes, credentials, signal),
  )
  const text = await answer.readText(MAX_TOKEN_BYTES)
  // Its words are shown, its tokens never: a failed answer has none.
  if (answer.status !== 200) {
    throw toAnswerError('get a token for the registry', { ...answer, text: text.slice(0, 4096) })
  }
  const parsed = parseToken(text)
  if (parsed === undefined) {
    throw toAnswerError('get a token for the registry: the answer has none', { ...answer, text: '' })
  }
  const lifeMs = Math.max(TOKEN_LIFE_MS, (parsed.expiresIn ?? 0) * 1000)
  return { header: `Bearer ${parsed.token}`, expiresAt: startedAt + lifeMs }
}

function toTokenAsk(
  url: URL,
  { service }: BearerChallenge,
  scopes: readonly string[],
  credentials: Credentials | undefined,
  signal: AbortSignal,
): HttpAsk {
  const asked = new URL(url)
  if (service !== undefined) asked.searchParams.set('service', service)
  for (const scope of scopes) asked.searchParams.append('scope', scope)
  const basic = credentials && toBasic(credentials)
  return { method: 'GET', url: asked, headers: basic === undefined ? {} : { authorization: basic }, signal }
}

function toRefreshAsk(
  url: URL,
  { service }: BearerChallenge,
  scopes: readonly string[],
  token: string,
  signal: AbortSignal,
): HttpAsk {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token, client_id: CLIENT_ID })
  form.set('service', service ?? url.host)
  form.set('scope', scopes.join(' '))
  const bytes = new TextEncoder().encode(form.toString())
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return { method: 'POST', url, headers, body: { sizeBytes: bytes.byteLength, open: () => bytes }, signal }
}

function parseToken(text: string): { readonly token: string; readonly expiresIn: number | undefined } | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  const token = value['token'] || value['access_token']
  const expiresIn = value['expires_in']
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) return undefined
  return { token, expiresIn: typeof expiresIn === 'number' ? expiresIn : undefined }
}

function toBasic(credentials: Credentials): string | undefined {
  if (credentials.kind !== 'password') return undefined
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`
}
