import type { IncomingMessage, RequestOptions } from 'node:http'
import * as http from 'node:http'
import * as https from 'node:https'
import { createInterface } from 'node:readline'
import { text as readText } from 'node:stream/consumers'
import type { KubeConfig } from '@kubernetes/client-node'
import { RegattaError, toErrorText } from '../../core/errors.ts'
import { toRefusal } from './answer.ts'
import { toKubeError } from './errors.ts'

/** A connection to a cluster, for one namespace. */
export interface Kube {
  readonly namespace: string
  /** Address of the API, for people. */
  readonly server: string
  /** Asks and reads the answer as JSON; undefined for 404. @throws KUBE_… */
  ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, options?: AskOptions): Promise<unknown>
  /** Asks and yields the answer's lines as they come, until the signal. @throws KUBE_… */
  follow(path: string, signal: AbortSignal): AsyncIterable<string>
  /** What the official client needs for its own connections. */
  readonly config: KubeConfig
}

/** One request beside its path. */
export interface AskOptions {
  readonly body?: unknown
  /** @default application/json */
  readonly type?: string
  readonly signal?: AbortSignal
}

/** Which cluster, and where in it. */
export interface KubeOptions {
  /** Undefined: the kubeconfig's current one. */
  readonly context: string | undefined
  /** Undefined: the context's, else `default`. */
  readonly namespace: string | undefined
}

const TIMEOUT_MS = 30_000

/**
 * Connects as kubectl does: the kubeconfig of KUBECONFIG or ~/.kube/config with all its ways to log in, or the account of
 * the pod that this runs in. @throws KUBE_CONFIG, KUBE_CONTEXT
 */
export async function openKube({ context, namespace }: KubeOptions): Promise<Kube> {
  const config = await readConfig(context)
  const cluster = config.getCurrentCluster()
  const found = config.getContextObject(config.getCurrentContext())
  if (cluster === null || cluster === undefined || cluster.server === 'http://localhost:8080') {
    throw toKubeError('KUBE_CONFIG', 'Cannot find a cluster: there is no kubeconfig, and this is no pod', {
      fix: 'Set KUBECONFIG to the file that you got for the cluster, or put it at ~/.kube/config',
    })
  }
  const base = cluster.server.replace(/\/$/, '')
  const send = (method: string, path: string, options: AskOptions): Promise<IncomingMessage> =>
    sendOnce(config, base, { method, path, ...options })
  return {
    namespace: namespace ?? found?.namespace ?? 'default',
    server: base,
    config,
    async ask(method, path, options = {}) {
      const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(options.signal ? [options.signal] : [])])
      const response = await send(method, path, { ...options, signal })
      return await readAnswer(response, method, path)
    },
    async *follow(path, signal) {
      const response = await send('GET', path, { signal })
      if (response.statusCode !== 200) {
        await readAnswer(response, 'GET', path)
        return
      }
      try {
        yield* createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
  }
}

async function readConfig(context: string | undefined): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  try {
    config.loadFromDefault()
  } catch (error) {
    throw toKubeError('KUBE_CONFIG', `Cannot read the kubeconfig: ${toErrorText(error)}`, {
      fix: 'Make KUBECONFIG name a kubeconfig that you may read',
      cause: error,
    })
  }
  if (context === undefined) return config
  const known = config.getContexts().map(({ name }) => name)
  if (!known.includes(context)) {
    throw toKubeError('KUBE_CONTEXT', `Cannot use context "${context}": the kubeconfig has none of this name`, {
      where: 'regatta.yaml, key targets.kubernetes.context',
      fix: known.length === 0 ? 'Set KUBECONFIG to a file that has it' : `Choose one of ${known.join(', ')}`,
    })
  }
  config.setCurrentContext(context)
  return config
}

interface Sent extends AskOptions {
  readonly method: string
  readonly path: string
}

async function sendOnce(config: KubeConfig, base: string, sent: Sent): Promise<IncomingMessage> {
  const { body, method, path, signal, type = 'application/json' } = sent
  const payload = body === undefined ? undefined : JSON.stringify(body)
  const options: RequestOptions = {
    method,
    headers: {
      accept: 'application/json',
      ...(payload !== undefined && { 'content-type': type, 'content-length': Buffer.byteLength(payload) }),
    },
    ...(signal !== undefined && { signal }),
  }
  try {
    await config.applyToHTTPSOptions(options)
  } catch (error) {
    throw toKubeError('KUBE_CREDENTIALS', `Cannot log in to the cluster: ${toErrorText(error)}`, {
      fix: 'The program that the kubeconfig names for logging in says why; log in again',
      cause: error,
    })
  }
  const request = (base.startsWith('https:') ? https : http).request(`${base}${path}`, options)
  return await new Promise((resolve, reject) => {
    request.on('response', resolve)
    request.on('error', error => reject(signal?.aborted === true ? signal.reason : toUnreachable(base, error)))
    request.end(payload)
  })
}

function toUnreachable(base: string, error: Error): RegattaError {
  return toKubeError('KUBE_UNREACHABLE', `Cannot reach the cluster: ${toErrorText(error)}`, {
    where: base,
    fix: 'See that the cluster runs, and that the network, the VPN or the proxy leads to it',
    cause: error,
    retryable: true,
  })
}

async function readAnswer(response: IncomingMessage, method: string, path: string): Promise<unknown> {
  const text = await readText(response)
  const status = response.statusCode ?? 0
  const isJson = response.headers['content-type']?.includes('json') === true
  const body: unknown = isJson ? JSON.parse(text) : text
  if (status < 300) return body
  const refusal = toRefusal({ method, path, status, body })
  if (status === 404 && refusal.code === 'KUBE_REFUSED') return undefined
  throw refusal
}

/** Whether the cluster refused with this code. */
export function isRefused(error: unknown, code: string): boolean {
  return error instanceof RegattaError && error.code === code
}
