import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** One request as it came in. */
export interface Seen {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: IncomingMessage['headers']
}

/** What a fault gets: it answers, or returns `false` to leave the request to the registry. */
export type Fault = (request: IncomingMessage, response: ServerResponse, url: URL) => boolean | Promise<boolean>

/** How the registry behaves where the specification leaves a choice. */
export interface Behaviour {
  /** Without it, lists of referrers are tags that clients keep. @default false */
  readonly referrersApi?: boolean
  /** Key and certificate, to speak TLS. */
  readonly tls?: { readonly key: string; readonly cert: string }
}

/** A registry in memory that keeps to distribution-spec v1.1.1, on 127.0.0.1, and can be told to err. */
export interface TestRegistry extends AsyncDisposable {
  readonly host: string
  readonly url: string
  readonly seen: Seen[]
  /** Content by digest. */
  readonly blobs: Map<string, Buffer>
  /** Digests of blobs by `REPOSITORY`. */
  readonly repositories: Map<string, Set<string>>
  /** Digests by `REPOSITORY:TAG`. */
  readonly tags: Map<string, string>
  /** Open upload sessions by id. */
  readonly sessions: Map<string, Buffer>
  /** Asked in order before the registry itself; the first that answers is the answer. */
  readonly faults: Fault[]
}

/** Starts a registry. */
export async function openTestRegistry(behaviour: Behaviour = {}): Promise<TestRegistry> {
  const state = {
    seen: [],
    blobs: new Map<string, Buffer>(),
    repositories: new Map<string, Set<string>>(),
    tags: new Map<string, string>(),
    types: new Map<string, string>(),
    sessions: new Map<string, Buffer>(),
    faults: [],
    behaviour,
  } satisfies State
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => undefined)
    request.on('error', () => undefined)
    answer(state, request, response).catch(() => response.destroy())
  }
  const server: Server = behaviour.tls ? createSecureServer(behaviour.tls, listener) : createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const host = `127.0.0.1:${port}`
  return {
    ...state,
    host,
    url: `${behaviour.tls ? 'https' : 'http'}://${host}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

interface State extends Omit<TestRegistry, 'host' | 'url' | typeof Symbol.asyncDispose> {
  /** Media types of manifests by digest. */
  readonly types: Map<string, string>
  readonly behaviour: Behaviour
}

const ROUTE = /^\/v2\/(.+)\/(blobs|manifests|referrers)\/(.+)$/

async function answer(state: State, request: IncomingMessage, response: ServerResponse): Promise<unknown> {
  const url = new URL(request.url ?? '/', 'http://registry')
  const { headers, method = 'GET' } = request
  state.seen.push({ method, path: request.url ?? '/', headers })
  for (const fault of state.faults) if (await fault(request, response, url)) return undefined
  if (url.pathname === '/v2/') return send(response, 200, {}, '{}')
  const [, repository = '', kind = '', name = ''] = ROUTE.exec(url.pathname) ?? []
  const owned = state.repositories.get(repository) ?? new Set()
  state.repositories.set(repository, owned)
  const place = { state, request, response, url, repository, owned, name, method }
  if (kind === 'referrers' && state.behaviour.referrersApi) return sendReferrers(place)
  if (kind === 'manifests') return await answerManifest(place)
  if (kind === 'blobs' && name.startsWith('uploads')) return await answerUpload(place)
  if (kind === 'blobs') return answerBlob(place)
  return send(response, 404, { 'content-type': 'text/plain' }, '404 page not found')
}

interface Place {
  readonly state: State
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly repository: string
  readonly owned: Set<string>
  readonly name: string
  readonly method: string
}

function answerBlob({ method, name, owned, request, response, state }: Place): ServerResponse {
  const content = owned.has(name) ? state.blobs.get(name) : undefined
  if (content === undefined) return sendError(response, 404, 'BLOB_UNKNOWN', name)
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  const headers = { 'docker-content-digest': name, 'content-type': 'application/octet-stream' }
  if (method === 'HEAD') return send(response, 200, { ...headers, 'content-length': content.length }, undefined)
  return send(response, start === 0 ? 200 : 206, headers, content.subarray(start))
}

async function answerManifest(place: Place): Promise<ServerResponse> {
  const { method, name, owned, request, repository, response, state } = place
  if (method === 'PUT') {
    const content = await readBody(request)
    const digest = toDigestText(content)
    if (name.startsWith('sha256:') && name !== digest) return sendError(response, 400, 'DIGEST_INVALID', digest)
    const document = JSON.parse(content.toString())
    const needed = [document.config, ...(document.layers ?? []), ...(document.manifests ?? [])].filter(Boolean)
    const missing = needed.find(blob => !owned.has(blob.digest))
    if (missing !== undefined) return sendError(response, 400, 'MANIFEST_BLOB_UNKNOWN', missing.digest)
    state.blobs.set(digest, content)
    state.types.set(digest, request.headers['content-type'] ?? '')
    owned.add(digest)
    if (!name.startsWith('sha256:')) state.tags.set(`${repository}:${name}`, digest)
    const subject = state.behaviour.referrersApi ? document.subject?.digest : undefined
    const headers = { location: `/v2/${repository}/manifests/${digest}`, 'docker-content-digest': digest }
    return send(response, 201, { ...headers, ...(subject && { 'oci-subject': subject }) }, undefined)
  }
  const digest = name.startsWith('sha256:') ? name : state.tags.get(`${repository}:${name}`)
  const content = digest !== undefined && owned.has(digest) ? state.blobs.get(digest) : undefined
  if (digest === undefined || content === undefined) return sendError(response, 404, 'MANIFEST_UNKNOWN', name)
  const headers = { 'docker-content-digest': digest, 'content-type': state.types.get(digest) ?? '' }
  return send(response, 200, { ...headers, 'content-length': content.length }, method === 'HEAD' ? undefined : content)
}

async function answerUpload(place: Place): Promise<ServerResponse> {
  const { method, name, owned, request, repository, response, state, url } = place
  if (method === 'POST') return startUpload(place)
  const id = name.slice('uploads/'.length)
  const held = state.sessions.get(id)
  if (held === undefined) return sendError(response, 404, 'BLOB_UPLOAD_UNKNOWN', id)
  const location = `/v2/${repository}/blobs/uploads/${id}?_state=a%2Bb`
  if (method === 'DELETE') {
    state.sessions.delete(id)
    return send(response, 204, {}, undefined)
  }
  if (method === 'GET') return send(response, 204, { location, range: toRange(held.length) }, undefined)
  const start = /^(\d+)-\d+$/.exec(request.headers['content-range'] ?? '')?.[1]
  if (start !== undefined && Number(start) !== held.length) {
    request.resume()
    return send(response, 416, { location, range: toRange(held.length) }, undefined)
  }
  const content = await readBody(request, part => state.sessions.set(id, Buffer.concat([held, part])))
  const whole = Buffer.concat([held, content])
  state.sessions.set(id, whole)
  if (method === 'PATCH') return send(response, 202, { location, range: toRange(whole.length) }, undefined)
  const digest = url.searchParams.get('digest') ?? ''
  if (url.searchParams.get('_state') !== 'a+b') return sendError(response, 400, 'BLOB_UPLOAD_INVALID', 'state')
  if (toDigestText(whole) !== digest) return sendError(response, 400, 'DIGEST_INVALID', digest)
  state.sessions.delete(id)
  state.blobs.set(digest, whole)
  owned.add(digest)
  return send(
    response,
    201,
    { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest },
    undefined,
  )
}

function startUpload({ owned, repository, response, state, url }: Place): ServerResponse {
  const mount = url.searchParams.get('mount')
  const from = url.searchParams.get('from')
  if (mount !== null && from !== null && state.repositories.get(from)?.has(mount)) {
    owned.add(mount)
    return send(response, 201, { location: `/v2/${repository}/blobs/${mount}` }, undefined)
  }
  const id = randomUUID()
  state.sessions.set(id, Buffer.alloc(0))
  return send(
    response,
    202,
    { location: `/v2/${repository}/blobs/uploads/${id}?_state=a%2Bb`, range: '0-0' },
    undefined,
  )
}

function sendReferrers({ name, owned, response, state }: Place): ServerResponse {
  const manifests = [...owned].flatMap(digest => {
    const content = state.types.has(digest) ? state.blobs.get(digest) : undefined
    const document = content && JSON.parse(content.toString())
    if (content === undefined || document.subject?.digest !== name) return []
    const { annotations, artifactType } = document
    return [{ mediaType: state.types.get(digest), digest, size: content.length, artifactType, annotations }]
  })
  const type = 'application/vnd.oci.image.index.v1+json'
  return send(response, 200, { 'content-type': type }, JSON.stringify({ schemaVersion: 2, mediaType: type, manifests }))
}

/** Reads a body; `onPart` is told what has come so far, so that a broken connection leaves it. */
export async function readBody(request: IncomingMessage, onPart?: (sofar: Buffer) => void): Promise<Buffer> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk)
  } catch (error) {
    onPart?.(Buffer.concat(chunks))
    throw error
  }
  return Buffer.concat(chunks)
}

/** Answers at once. */
export function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string | number>>,
  body: string | Buffer | undefined,
): ServerResponse {
  return response.writeHead(status, headers).end(body)
}

/** Answers with an error in the specification's form. */
export function sendError(response: ServerResponse, status: number, code: string, detail: string): ServerResponse {
  const errors = [{ code, message: code.toLowerCase().replaceAll('_', ' '), detail }]
  return send(response, status, { 'content-type': 'application/json' }, JSON.stringify({ errors }))
}

/** `sha256:` and hex digits. */
export function toDigestText(content: Buffer | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

function toRange(length: number): string {
  return `0-${Math.max(0, length - 1)}`
}
