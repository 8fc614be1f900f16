import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { USER } from './registries.ts'

/** One request that passed the front, once it is answered. */
export interface Passed {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly status: number
  /** Of the request's body. */
  readonly bytes: number
  /** `Basic` or `Bearer`, or none. */
  readonly scheme: string | undefined
}

/** A server in front of a registry, which hands everything on and remembers it. */
export interface Front extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  readonly passed: readonly Passed[]
  /** A refresh token that is exchanged for tokens, as identity tokens are. */
  readonly refreshToken: string
  /** How many tokens were given, and for which scopes. */
  readonly given: readonly string[]
  /** Resolves when an upload hangs. */
  readonly stalled: Promise<void>
}

/** How the front behaves. */
export interface FrontOptions {
  /** Asks for a bearer token, which it gives to the user for the scopes that are asked for. @default false */
  readonly tokens?: boolean
  /** Lets every upload hang after that many bytes. @default none */
  readonly stallAfterBytes?: number
}

/** What a request may do: `pull` of a repository, `push` to it. */
type Scope = `repository:${string}:${'pull' | 'push'}`

/** Starts a front before the registry at `behind`. Source of tokens: distribution.github.io, "Token Authentication". */
export async function startFront(behind: string, options: FrontOptions = {}): Promise<Front> {
  const passed: Passed[] = []
  const granted = new Map<string, readonly string[]>()
  const given: string[] = []
  const refreshToken = randomUUID()
  const stalled = Promise.withResolvers<void>()
  const server = createServer((asked, answer) => {
    void answerOne(asked, answer).catch(() => answer.destroy())
  })

  async function answerOne(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const url = new URL(asked.url ?? '/', `http://${asked.headers.host}`)
    if (url.pathname === '/token') return await giveToken(asked, answer, url)
    const wanted = toScopes(asked.method ?? 'GET', url)
    const has = granted.get(asked.headers.authorization?.replace(/^Bearer /, '') ?? '')
    if (options.tokens === true && (has === undefined || wanted.some(scope => !has.includes(scope)))) {
      note(asked, 401, 0)
      return refuse(answer, url.host, wanted)
    }
    await handOn(asked, answer)
  }

  async function giveToken(asked: IncomingMessage, answer: ServerResponse, url: URL): Promise<void> {
    const form = new URLSearchParams(asked.method === 'POST' ? await readText(asked) : url.search)
    const basic = `Basic ${Buffer.from(`${USER.name}:${USER.password}`).toString('base64')}`
    const known = form.get('refresh_token') === refreshToken || asked.headers.authorization === basic
    note(asked, known ? 200 : 401, 0)
    if (!known) return void answer.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}')
    const scopes = form
      .getAll('scope')
      .flatMap(text => text.split(' '))
      .filter(Boolean)
    given.push(...scopes)
    const token = randomUUID()
    granted.set(token, scopes.flatMap(toSingle))
    answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token, expires_in: 300 }))
  }

  async function handOn(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    let bytes = 0
    const counter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.byteLength
        // What hangs never calls back: nothing more is read.
        if (bytes > (options.stallAfterBytes ?? Number.POSITIVE_INFINITY)) stalled.resolve()
        else done(null, chunk)
      },
    })
    const { authorization, ...headers } = asked.headers
    const kept = options.tokens === true || authorization === undefined ? headers : { ...headers, authorization }
    const [hostname, port] = behind.split(':')
    const next = request({ hostname, port, method: asked.method, path: asked.url, headers: kept })
    asked.on('close', () => {
      if (!asked.complete) next.destroy()
    })
    const answered = new Promise<IncomingMessage>((resolve, reject) => next.on('response', resolve).on('error', reject))
    void pipeline(asked, counter, next).catch(() => next.destroy())
    const reply = await answered
    note(asked, reply.statusCode ?? 0, bytes)
    answer.writeHead(reply.statusCode ?? 502, reply.headers)
    await pipeline(reply, answer)
  }

  function note(asked: IncomingMessage, status: number, bytes: number): void {
    const scheme = asked.headers.authorization?.split(' ')[0]
    passed.push({ method: asked.method ?? '', url: asked.url ?? '', status, bytes, scheme })
  }

  const host = await listen(server)
  return {
    host,
    passed,
    refreshToken,
    given,
    stalled: stalled.promise,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
    },
  }
}

function refuse(answer: ServerResponse, host: string, wanted: readonly Scope[]): void {
  const scope = wanted.length === 0 ? '' : `,scope="${wanted.join(' ')}"`
  const challenge = `Bearer realm="http://${host}/token",service="boathouse"${scope}`
  const body = '{"errors":[{"code":"UNAUTHORIZED","message":"a token is needed"}]}'
  answer.writeHead(401, { 'www-authenticate': challenge, 'content-type': 'application/json', connection: 'close' })
  answer.end(body)
}

/** What a request needs; a mount needs to read the repository that it mounts from too. */
function toScopes(method: string, url: URL): readonly Scope[] {
  const repository = /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)\//.exec(url.pathname)?.[1]
  if (repository === undefined) return []
  const own: readonly Scope[] =
    method === 'GET' || method === 'HEAD'
      ? [`repository:${repository}:pull`]
      : [`repository:${repository}:pull`, `repository:${repository}:push`]
  const from = url.searchParams.get('from')
  return from === null ? own : [...own, `repository:${from}:pull`]
}

/** `repository:a:pull,push` → one scope for each action. */
function toSingle(scope: string): readonly string[] {
  const [, name, actions] = /^(.+):([^:]+)$/.exec(scope) ?? []
  return (actions ?? '').split(',').map(action => `${name}:${action}`)
}

async function readText(asked: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of asked) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}
