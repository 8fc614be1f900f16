import { readFileSync } from 'node:fs'
import type { Agent, AgentOptions, ClientRequest, RequestOptions } from 'node:http'
import { RegattaError, toErrorText } from '../../core/errors.ts'
import { loadHttp, loadHttps } from '../../core/late.node.ts'

/** Connections to any host, straight or through a proxy, kept for the next request. */
export interface Agents {
  /** @throws CERTIFICATES, and what Node throws of an address that is none */
  readonly openRequest: (url: URL, options: Pick<RequestOptions, 'method' | 'path' | 'headers'>) => ClientRequest
  /** Closes them all. */
  readonly destroy: () => void
}

type Environment = Readonly<Record<string, string | undefined>>

const CONNECT_TIMEOUT_MS = 10_000

/** Reads where requests go from the environment. Connections are made when they are needed. */
export function openAgents(env: Environment): Agents {
  const proxyEnv = toProxies(env)
  const options: AgentOptions = { keepAlive: true, ...(proxyEnv && { proxyEnv }) }
  const agents = new Map<string, Agent>()
  return {
    openRequest({ hostname, port, protocol }, request) {
      const secure = protocol === 'https:'
      const { Agent, request: open } = loadClient(secure)
      const agent = agents.get(protocol) ?? new Agent({ ...options, ...(secure && readAuthorities(env)) })
      agents.set(protocol, agent)
      const outgoing = open({ ...request, agent, protocol, port, hostname: hostname.replace(/^\[(.*)\]$/, '$1') })
      limitConnect(outgoing, secure ? 'secureConnect' : 'connect')
      return outgoing
    },
    destroy() {
      for (const agent of agents.values()) agent.destroy()
    },
  }
}

/** Loaded late: most commands talk to no registry. */
function loadClient(secure: boolean): Pick<typeof import('node:http'), 'Agent' | 'request'> {
  return secure ? loadHttps() : loadHttp()
}

function limitConnect(outgoing: ClientRequest, done: 'connect' | 'secureConnect'): void {
  outgoing.once('socket', socket => {
    if (!socket.connecting) return
    const timer = setTimeout(() => {
      socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`))
    }, CONNECT_TIMEOUT_MS)
    for (const event of [done, 'close']) socket.once(event, () => clearTimeout(timer))
  })
}

/** The proxies as Node's agents take them; this machine itself is never behind one. */
function toProxies(env: Environment): NodeJS.ProcessEnv | undefined {
  const pick = (name: string): string | undefined => env[name.toLowerCase()] || env[name] || undefined
  const http = pick('HTTP_PROXY')
  const https = pick('HTTPS_PROXY') ?? http
  if (https === undefined) return undefined
  const direct = [pick('NO_PROXY'), 'localhost', '127.0.0.1', '::1', '[::1]'].filter(Boolean).join(',')
  return { ...(http !== undefined && { HTTP_PROXY: http }), HTTPS_PROXY: https, NO_PROXY: direct }
}

/**
 * Node's authorities and those of `SSL_CERT_FILE`, where it is set: read late, since it takes longer than a request.
 * @throws CERTIFICATES
 */
function readAuthorities({ SSL_CERT_FILE: path }: Environment): { readonly ca?: string[] } {
  if (path === undefined || path === '') return {}
  try {
    const { getCACertificates } = process.getBuiltinModule('node:tls')
    return { ca: [...getCACertificates('default'), readFileSync(path, 'utf8')] }
  } catch (cause) {
    throw new RegattaError('CERTIFICATES', `Cannot read SSL_CERT_FILE "${path}": ${toErrorText(cause)}`, {
      fix: 'Name a file of certificates in PEM, or unset the variable',
      cause,
    })
  }
}
