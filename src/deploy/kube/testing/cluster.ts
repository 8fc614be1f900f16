import { isObject } from '../../../core/json.ts'
import { toRefusal } from '../answer.ts'
import type { AskOptions, Kube } from '../client.node.ts'
import { at, type KubeObject, textAt, toKubeObject } from '../object.ts'

/** A request that was sent to a cluster. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: unknown
}

/**
 * A cluster in memory, with one namespace `team`: it keeps what is applied, made and deleted, finds by labels, and tells
 * watches. It checks nothing.
 */
export class TestCluster {
  readonly kube: Kube
  readonly asked: Asked[] = []
  /** Refuses a request by what this returns: an HTTP status and the cluster's words. */
  refuse: (asked: Asked) => { readonly status: number; readonly body: unknown } | undefined = () => undefined
  readonly #objects = new Map<string, KubeObject>()
  readonly #changes: { readonly path: string; readonly version: number; readonly line: string }[] = []
  #version = 0
  #wake = Promise.withResolvers<void>()
  #cuts = 0

  constructor(objects: readonly { readonly path: string; readonly object: KubeObject }[] = []) {
    for (const { path, object } of objects) this.put(path, object)
    const ask: Kube['ask'] = async (method, path, options = {}) => this.#answer(method, path, options)
    const follow: Kube['follow'] = (path, signal) => this.#follow(path, signal)
    this.kube = { namespace: 'team', server: 'https://cluster', ask, follow } as Kube
  }

  /** Paths of everything that is there. */
  get paths(): readonly string[] {
    return [...this.#objects.keys()].map(toShort).sort()
  }

  /** What is at a path such as `configmaps/x`. */
  read(path: string): KubeObject | undefined {
    return [...this.#objects].find(([key]) => toShort(key) === path)?.[1]
  }

  /** The requests that change something, as `PATCH configmaps/x`, in their order. */
  get writes(): readonly string[] {
    return this.asked.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${toShort(path)}`)
  }

  /** Makes an object what it is, or takes it away, and tells those who watch. */
  put(path: string, object: KubeObject | undefined): void {
    const type = object === undefined ? 'DELETED' : this.#objects.has(path) ? 'MODIFIED' : 'ADDED'
    const kept = object ?? this.#objects.get(path)
    if (kept === undefined) return
    const next = { ...kept, metadata: { ...kept.metadata, resourceVersion: String(this.#version + 1) } }
    if (object === undefined) this.#objects.delete(path)
    else this.#objects.set(path, next)
    this.tell(path.slice(0, path.lastIndexOf('/')), { type, object: next })
  }

  /** Tells those who watch the objects at a path. */
  tell(path: string, event: object): void {
    this.#version += 1
    this.#changes.push({ path, version: this.#version, line: JSON.stringify(event) })
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }

  /** Ends every watch, as the API does now and then. */
  cut(): void {
    this.#cuts += 1
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }

  #answer(method: string, path: string, { body }: AskOptions): unknown {
    const { pathname, searchParams: query } = new URL(path, 'https://cluster')
    const asked = { method, path: pathname, query, body }
    this.asked.push(asked)
    const refused = this.refuse(asked)
    if (refused !== undefined) throw toRefusal({ method, path, ...refused })
    if (method === 'DELETE') return this.put(pathname, undefined)
    if (method === 'GET')
      return this.#objects.get(pathname) ?? (isList(pathname) ? this.#list(pathname, query) : undefined)
    const object = toKubeObject(body)
    if (object === undefined || query.get('dryRun') === 'All') return object
    this.put(method === 'POST' ? `${pathname}/${object.metadata.name}` : pathname, object)
    return this.#objects.get(pathname)
  }

  #list(path: string, query: URLSearchParams): object {
    const wanted = (query.get('labelSelector') ?? '').split(',').filter(Boolean)
    const items = [...this.#objects]
      .filter(([key]) => key.slice(0, key.lastIndexOf('/')) === path)
      .map(([, object]) => object)
      .filter(object => wanted.every(term => hasLabel(object, term)))
    return { metadata: { resourceVersion: String(this.#version) }, items }
  }

  async *#follow(path: string, signal: AbortSignal): AsyncGenerator<string> {
    const { pathname, searchParams: query } = new URL(path, 'https://cluster')
    const asked = { method: 'GET', path: pathname, query, body: undefined }
    this.asked.push(asked)
    const refused = this.refuse(asked)
    if (refused !== undefined) throw toRefusal({ method: 'GET', path, ...refused })
    const cuts = this.#cuts
    const aborted = new Promise<void>(done => signal.addEventListener('abort', () => done(), { once: true }))
    const since = Number(query.get('resourceVersion') ?? 0)
    for (let index = 0; cuts === this.#cuts && !signal.aborted; ) {
      const change = this.#changes[index]
      if (change === undefined) await Promise.race([this.#wake.promise, aborted])
      else if (change.path === pathname && change.version > since) yield change.line
      if (change !== undefined) index += 1
    }
  }
}

function toShort(path: string): string {
  return path.replace(/^.*\/namespaces\/team\//, '')
}

function isList(path: string): boolean {
  return !toShort(path).includes('/')
}

function hasLabel(object: KubeObject, term: string): boolean {
  const [key = '', value] = term.split('=')
  const labels = at(object, 'metadata', 'labels')
  if (!isObject(labels)) return false
  return value === undefined ? Object.hasOwn(labels, key) : textAt(labels, key) === value
}
