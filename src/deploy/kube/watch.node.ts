import { setTimeout as sleep } from 'node:timers/promises'
import { toErrorText } from '../../core/errors.ts'
import { isObject } from '../../core/json.ts'
import { isRefused, type Kube } from './client.node.ts'
import { toPath } from './kinds.ts'
import { at, type KubeObject, listAt, textAt, toKubeObject } from './object.ts'

/** What is watched. */
export interface WatchOptions {
  readonly kind: string
  /** '' watches all of the namespace. */
  readonly selector: string
  /** Objects beyond this number are forgotten, oldest first. */
  readonly maxObjects: number
  /** Told after each change. */
  readonly onChange: () => void
  /** Told when the cluster stops answering, once until it answers again. */
  readonly onAway: (reason: string) => void
}

const RETRY_MS = 500
const MAX_RETRY_MS = 10_000
/** The API ends watches that are older; ours ends before. */
const WATCH_SECONDS = 240

/** Keeps a copy of a cluster's objects of one kind, by list and watch. Source: Kubernetes, "API Concepts". */
export class ObjectWatch {
  readonly #kube: Kube
  readonly #options: WatchOptions
  readonly #objects = new Map<string, KubeObject>()
  readonly #synced = Promise.withResolvers<void>()
  #version = ''

  /** Watches until the signal. */
  constructor(kube: Kube, options: WatchOptions, signal: AbortSignal) {
    this.#kube = kube
    this.#options = options
    this.#synced.promise.catch(() => {})
    void this.#run(signal)
  }

  /** The objects now. */
  get objects(): readonly KubeObject[] {
    return [...this.#objects.values()]
  }

  /** Resolves once the first list is there. @throws what the first list throws */
  get synced(): Promise<void> {
    return this.#synced.promise
  }

  /** Never rejects. */
  async #run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (this.#version === '') await this.#list(signal)
        this.#synced.resolve()
        failures = 0
        await this.#watch(signal)
      } catch (error) {
        if (signal.aborted) return
        if (isRefused(error, 'KUBE_FORBIDDEN')) this.#synced.reject(error)
        this.#version = ''
        failures += 1
        if (failures === 1) this.#options.onAway(`${this.#options.kind}: ${toErrorText(error)}`)
        await sleep(Math.min(RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS), undefined, { signal }).catch(() => {})
      }
    }
  }

  #path(query: Readonly<Record<string, string>>): string {
    const { kind, selector } = this.#options
    const all = new URLSearchParams({ ...(selector !== '' && { labelSelector: selector }), ...query })
    return `${toPath(kind, this.#kube.namespace)}?${all}`
  }

  async #list(signal: AbortSignal): Promise<void> {
    const list = await this.#kube.ask('GET', this.#path({}), { signal })
    this.#objects.clear()
    for (const item of listAt(list, 'items')) this.#keep({ apiVersion: '', kind: this.#options.kind, ...item })
    this.#version = textAt(list, 'metadata', 'resourceVersion') ?? ''
    this.#options.onChange()
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const path = this.#path({
      watch: '1',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(WATCH_SECONDS),
      resourceVersion: this.#version,
    })
    for await (const line of this.#kube.follow(path, signal)) if (line !== '') this.#take(JSON.parse(line))
  }

  #take(event: unknown): void {
    const type = textAt(event, 'type')
    const object = at(event, 'object')
    if (type === 'ERROR') throw new Error(textAt(object, 'message') ?? 'the watch ended')
    this.#version = textAt(object, 'metadata', 'resourceVersion') ?? this.#version
    if (type === 'BOOKMARK') return
    if (type === 'DELETED') this.#objects.delete(textAt(object, 'metadata', 'name') ?? '')
    else this.#keep(object)
    this.#options.onChange()
  }

  #keep(value: unknown): void {
    const object = isObject(value) ? toKubeObject({ apiVersion: '', ...value, kind: this.#options.kind }) : undefined
    if (object === undefined) return
    // The last to change is the last in the map.
    this.#objects.delete(object.metadata.name)
    this.#objects.set(object.metadata.name, object)
    const oldest = this.#objects.keys().next().value
    if (this.#objects.size > this.#options.maxObjects && oldest !== undefined) this.#objects.delete(oldest)
  }
}
