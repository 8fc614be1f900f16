import type { Project } from '../../config/index.ts'
import type { Clock } from '../../core/clock.ts'
import { RegattaError, toErrorText } from '../../core/errors.ts'
import type { Routes } from '../../core/wire/routes.ts'
import type { DeploymentPlan, Notice, Target, TargetState } from '../target.ts'
import { applyObject, deleteObject, listObjects } from './apply.node.ts'
import type { Kube } from './client.node.ts'
import type { KubeEvent } from './events.ts'
import { type Kind, toPath } from './kinds.ts'
import { toOwnSelector, VARIANT_ID } from './labels.ts'
import { listPodLog } from './logs.node.ts'
import { toEventObject } from './notice.ts'
import { numberAt, textAt } from './object.ts'
import { toRoutesObject } from './objects/routes.ts'
import { toServerObjects } from './objects/server.ts'
import { readRoutesRecord } from './routes-record.node.ts'
import { type KubeSettings, toNames, toVariantName } from './settings.ts'
import { listPods, type Snapshot, toState } from './state.ts'
import { ObjectWatch } from './watch.node.ts'

/** What the target of a cluster works with. */
export interface KubeTargetOptions {
  readonly project: Project
  readonly kube: Kube
  readonly clock: Clock
  readonly onEvent: (event: KubeEvent) => void
}

const SERVER_KINDS = [
  'HorizontalPodAutoscaler',
  'PodDisruptionBudget',
  'Deployment',
  'Service',
] as const satisfies Kind[]
const MAX_PODS = 2000
const MAX_EVENTS = 1000
/** Reasons that only time brings forth are looked for this often. */
const LOOK_MS = 5000

/**
 * Opens the target of a cluster: it makes the objects of variants in one namespace and follows their pods.
 * @throws KUBE_FORBIDDEN where its account may not read them
 */
export async function openKubeTarget(options: KubeTargetOptions): Promise<Target> {
  const target = new KubeTarget(options)
  try {
    await target.synced
  } catch (error) {
    await target[Symbol.asyncDispose]()
    throw error
  }
  return target
}

type WatchedKind = 'Pod' | 'Deployment' | 'Service' | 'EndpointSlice' | 'Event' | 'PersistentVolumeClaim'

class KubeTarget implements Target {
  readonly kind = 'kubernetes'
  readonly #options: KubeTargetOptions
  readonly #settings: KubeSettings
  readonly #names: ReturnType<typeof toNames>
  readonly #closing = new AbortController()
  readonly #listeners = new Set<(state: TargetState) => void>()
  readonly #watches: Readonly<Record<WatchedKind, ObjectWatch>>
  readonly #timer: NodeJS.Timeout
  #state: TargetState | undefined
  #announcing = false

  constructor(options: KubeTargetOptions) {
    const { kube, project, onEvent } = options
    this.#options = options
    this.#settings = { project, namespace: kube.namespace }
    this.#names = toNames(project.name)
    const own = toOwnSelector(project.name)
    const watch = (kind: string, selector: string, maxObjects: number): ObjectWatch => {
      const onAway = (reason: string): void => onEvent({ kind: 'cluster-away', reason })
      return new ObjectWatch(
        kube,
        { kind, selector, maxObjects, onChange: () => this.#announceLater(), onAway },
        this.#closing.signal,
      )
    }
    this.#watches = {
      Pod: watch('Pod', own, MAX_PODS),
      Deployment: watch('Deployment', own, MAX_PODS),
      Service: watch('Service', own, MAX_PODS),
      EndpointSlice: watch('EndpointSlice', own, MAX_PODS),
      PersistentVolumeClaim: watch('PersistentVolumeClaim', own, MAX_PODS),
      Event: watch('Event', '', MAX_EVENTS),
    }
    this.#timer = setInterval(() => this.#announceLater(), LOOK_MS)
  }

  /** Resolves once everything is known that the state is made of. */
  get synced(): Promise<unknown> {
    return Promise.all(Object.values(this.#watches).map(watch => watch.synced))
  }

  async readRoutes(): Promise<Routes | undefined> {
    return await readRoutesRecord(this.#options.kube, this.#options.project.name)
  }

  async writeRoutes(routes: Routes): Promise<void> {
    const { project, kube } = this.#options
    await applyObject(kube, toRoutesObject(this.#settings, routes), { deployment: project.name, force: true })
  }

  async apply(plan: DeploymentPlan, signal: AbortSignal): Promise<void> {
    const { project, kube } = this.#options
    for (const variant of plan.variants) {
      const name = toVariantName(project.name, variant)
      const live = this.#watches.Deployment.objects.find(({ metadata }) => metadata.name === name)
      const running = live && numberAt(live, 'spec', 'replicas')
      for (const object of toServerObjects(this.#settings, variant, running))
        await applyObject(kube, object, { deployment: project.name, signal })
    }
    const kept = new Set(plan.variants.map(variant => String(variant.id)))
    for (const kind of SERVER_KINDS) {
      for (const object of await listObjects(kube, kind, toOwnSelector(project.name))) {
        const id = object.metadata.labels?.[VARIANT_ID]
        const isIdle = kind === 'HorizontalPodAutoscaler' && project.serve.autoscale === undefined
        if (id !== undefined && (isIdle || !kept.has(id))) await deleteObject(kube, object)
      }
    }
  }

  state(): TargetState {
    this.#state ??= toState(this.#toSnapshot(), this.#names.gateway)
    return this.#state
  }

  observe(listener: (state: TargetState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readLog(
    process: string,
    options: { readonly lines: number; readonly follow: boolean },
    signal: AbortSignal,
  ): AsyncIterable<string> {
    const pods = this.#watches.Pod.objects
    const known = ['gateway', 'control'] as const
    const part = known.find(name => name === process)
    const pod =
      part === undefined
        ? pods.find(({ metadata }) => metadata.name === process)
        : listPods({ pods }, part).toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))[0]
    if (pod === undefined) {
      throw new RegattaError('LOG_NONE', `Cannot read the log of "${process}": there is no such pod`, {
        fix: 'regatta status lists them',
      })
    }
    return listPodLog(this.#options.kube, pod.metadata.name, options, AbortSignal.any([signal, this.#closing.signal]))
  }

  tell(notice: Notice): void {
    const { kube, project, clock, onEvent } = this.#options
    const gateway = this.#watches.Deployment.objects.find(({ metadata }) => metadata.name === this.#names.gateway)
    const uid = textAt(gateway, 'metadata', 'uid')
    const where = { deployment: project.name, namespace: kube.namespace, at: new Date(clock()), uid }
    // Nobody waits for an event.
    void kube
      .ask('POST', toPath('Event', kube.namespace), { body: toEventObject(notice, where) })
      .catch(error => onEvent({ kind: 'notice-failed', reason: toErrorText(error) }))
  }

  async delete(signal: AbortSignal): Promise<void> {
    const { project, kube } = this.#options
    await this.apply({ deployment: project.name, variants: [] }, signal)
    await deleteObject(kube, { kind: 'ConfigMap', metadata: { name: this.#names.routes } })
  }

  /** What runs goes on: the objects are the cluster's to keep. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#closing.abort()
  }

  #toSnapshot(): Snapshot {
    const { Pod, Deployment, Service, EndpointSlice, Event, PersistentVolumeClaim } = this.#watches
    return {
      pods: Pod.objects,
      deployments: Deployment.objects,
      services: Service.objects,
      slices: EndpointSlice.objects,
      events: Event.objects,
      claims: PersistentVolumeClaim.objects,
      now: this.#options.clock(),
    }
  }

  /** Changes come in groups; one look serves them all. */
  #announceLater(): void {
    this.#state = undefined
    if (this.#announcing || this.#closing.signal.aborted) return
    this.#announcing = true
    queueMicrotask(() => {
      this.#announcing = false
      for (const listener of this.#listeners) {
        try {
          listener(this.state())
        } catch (error) {
          this.#options.onEvent({ kind: 'listener-failed', reason: toErrorText(error) })
        }
      }
    })
  }
}
