import type { Project } from '../../config/index.ts'
import type { VariantName } from '../../core/brands.ts'
import type { Clock } from '../../core/clock.ts'
import { toErrorText } from '../../core/errors.ts'
import { toCanonicalJson } from '../../core/json.ts'
import type { Capture, Routes } from '../../core/wire/routes.ts'
import type { Target } from '../../deploy/index.ts'
import type { ImageLayout } from '../../oci/index.ts'
import type { ChangeCause, NewVariant, Store, StoredVariant } from '../../store/index.ts'
import type { DeleteResponseJson, DeployResponseJson, PromoteResponseJson } from '../api/commands.ts'
import type { Logger } from '../logger.ts'
import { endRaces, type RaceSwitch, startRaces, withRamps } from '../race/races.ts'
import { toRaceSpec } from '../race/rule.ts'
import { promote, rollback, toNewMember } from './commands.ts'
import { toCapture, toChangedVariants, toPlan, toReadyCount, toRoutes, toWeights } from './deployed.ts'
import {
  clear,
  crown,
  type Deployment,
  findLive,
  findSame,
  giveShare,
  isPlaced,
  listChallengers,
  place,
  release,
  settle,
  sumOtherShares,
  toDeployment,
  type Wish,
  withdraw,
} from './deployment.ts'
import { requireImage } from './images.ts'
import type { Member } from './member.ts'
import { WorkQueue } from './queue.ts'

/** What the deployer works with. */
export interface DeployerOptions {
  readonly project: Project
  readonly target: Target
  readonly store: Store
  readonly layout: ImageLayout
  readonly clock: Clock
  readonly logger: Logger
  /** Time from new routes to the end of replicas that have left them, so that every gateway has heard, ms. */
  readonly leaveMs: number
  /** Told of routes that were just written. */
  readonly onRoutes: (routes: Routes) => void
  /** Told when a race started or ended. */
  readonly onRace: () => void
}

/** Carries out commands on the deployment, one at a time, and follows the target's replicas with the routes. */
export class Deployer implements AsyncDisposable {
  readonly #options: DeployerOptions
  readonly #capture: Capture
  readonly #queue = new WorkQueue(100)
  readonly #closing = new AbortController()
  readonly #timers = new Set<NodeJS.Timeout>()
  #deployment: Deployment = { epoch: 0, live: [], pending: [], leaving: [] }
  #routes: Routes | undefined
  /** Highest epoch that the store knows: a command that failed half-way does not lend its number to the next. */
  #lastEpoch = 0
  /** Why variants that are not live yet were taken in, by id. */
  readonly #causes = new Map<number, ChangeCause>()
  /** Nobody is known who asked for what is deployed: whoever asks for the same first is written down. */
  #isRestored = false
  /** Ids of leaving variants whose end is set. */
  readonly #leaving = new Set<number>()
  #followQueued = false
  #unobserve = (): void => {}

  constructor(options: DeployerOptions) {
    this.#options = options
    this.#capture = toCapture(options.project.race)
  }

  /** What is deployed now. */
  get deployment(): Deployment {
    return this.#deployment
  }

  /** The routes as last written; undefined where nothing was ever deployed. */
  get routes(): Routes | undefined {
    return this.#routes
  }

  /** Takes up what the target has on record: its replicas start again, and its race goes on. */
  async restore(): Promise<void> {
    const { target, store } = this.#options
    const epochs = await store.readEpochs()
    const routes = await target.readRoutes()
    this.#lastEpoch = Math.max(routes?.epoch ?? 0, ...epochs.map(({ epoch }) => epoch))
    if (routes !== undefined) {
      const { cause } = routes
      this.#deployment = await withRamps(store, toDeployment(routes))
      const known = await this.#toKnown(this.#deployment)
      const isOld = known === this.#deployment && cause === undefined
      const why: ChangeCause = cause === undefined ? RESTORED : { kind: 'deploy', ...cause }
      await this.#commit(isOld ? known : toNextEpoch(known), 'replaced', why)
      // Control must still come up: its status says what is missing, and a deploy can mend it.
      await this.#apply(this.#deployment).catch(error => this.#report('Cannot start what was deployed', error))
    }
    // The process may have ended between new routes and the end of their races.
    const races = this.#toSwitch(this.#deployment, 'replaced')
    await startRaces(races)
    await endRaces(races)
    this.#unobserve = target.observe(() => this.#followLater())
    this.#followLater()
  }

  /**
   * Registers variants again that the database does not know: it was replaced since they were deployed. They keep their
   * ids, and with them their replicas, unless the new database has given those to others.
   */
  async #toKnown(deployment: Deployment): Promise<Deployment> {
    const known = new Set((await this.#options.store.readVariants()).map(toVariantKey))
    if (deployment.live.every(member => known.has(toVariantKey(member)))) return deployment
    const live: Member[] = []
    for (const member of deployment.live) {
      live.push(known.has(toVariantKey(member)) ? member : { ...member, id: await this.#addVariant(member) })
    }
    return { ...deployment, live }
  }

  /** Takes a version in; its replicas start in the background. */
  async deploy(wish: Wish, cause: ChangeCause): Promise<DeployResponseJson> {
    return await this.#queue.run(async () => {
      await requireImage(this.#options.layout, wish)
      const member = toNewMember(this.#deployment, wish, this.#options.project.race)
      const changed = !isPlaced(this.#deployment, member)
      if (changed) {
        const id = findSame(this.#deployment, member)?.id ?? (await this.#addVariant(member))
        const next = place(this.#deployment, { ...member, id })
        await this.#apply(next)
        this.#causes.set(id, cause)
        await this.#commit(next, 'replaced', cause)
        await this.#settle()
        this.#options.logger.info({ ...member, id }, 'Deployment accepted')
      } else if (this.#isRestored) await this.#commit(toNextEpoch(this.#deployment), 'replaced', cause)
      const { name: variant, version, digest, role } = member
      const { epoch } = this.#deployment
      return { schema: 'regatta/deploy/v1', variant, version, digest, role, epoch, changed }
    })
  }

  /** Gives a challenger in a ramp another share, unless things have changed meanwhile; says whether it has it. */
  async step(id: number, weight: number, reason: string): Promise<boolean> {
    return await this.#queue.run(async () => {
      const member = listChallengers(this.#deployment).find(member => member.id === id)
      if (member?.ramp === undefined || member.weight >= weight) return false
      if (sumOtherShares(this.#deployment, member.name) + weight >= 1) return false
      await this.#commit(giveShare(this.#deployment, id, weight), 'replaced', byControl('step', reason))
      return true
    })
  }

  /** Takes a challenger out, which ends its race so; says whether it was there. */
  async withdraw(id: number, how: 'stopped' | 'spent', reason: string): Promise<boolean> {
    return await this.#queue.run(async () => {
      if (!listChallengers(this.#deployment).some(member => member.id === id)) return false
      await this.#commit(withdraw(this.#deployment, id), how, byControl('withdraw', reason))
      return true
    })
  }

  /** Makes a challenger the champion; says whether it was there, with a replica that is ready. */
  async crown(id: number, reason: string): Promise<boolean> {
    return await this.#queue.run(async () => {
      const isThere = listChallengers(this.#deployment).some(member => member.id === id)
      if (!isThere || this.#readyOf()(id) === 0) return false
      await this.#commit(crown(this.#deployment, id), 'replaced', byControl('promote', reason))
      return true
    })
  }

  /** Makes the only challenger, or the named variant, the champion. */
  async promote(name: VariantName | undefined, cause: ChangeCause): Promise<PromoteResponseJson> {
    return await this.#change(deployment => promote(deployment, name, this.#readyOf()), cause)
  }

  /** Swaps the champion with the standby. */
  async rollback(cause: ChangeCause): Promise<PromoteResponseJson> {
    return await this.#change(deployment => rollback(deployment, this.#readyOf()), cause)
  }

  /** Stops everything. A caller that goes away does not end it half-way. */
  async delete(cause: ChangeCause): Promise<DeleteResponseJson> {
    return await this.#queue.run(async () => {
      const { target, project } = this.#options
      const { live, pending } = this.#deployment
      // Replicas alone are left where an earlier delete failed half-way.
      const deleted = live.length + pending.length + target.state().replicas.length > 0
      if (deleted) {
        // The routes are emptied first, so that gateways refuse requests before replicas stop answering them.
        await this.#commit(clear(this.#deployment), 'replaced', cause)
        await target.delete(this.#closing.signal)
      }
      return { schema: 'regatta/delete/v1', deployment: project.name, deleted }
    })
  }

  /** Stops following the target, which is left as it is. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    this.#unobserve()
    for (const timer of this.#timers) clearTimeout(timer)
    await this.#queue.idle()
  }

  async #change(decide: (deployment: Deployment) => Deployment, cause: ChangeCause): Promise<PromoteResponseJson> {
    return await this.#queue.run(async () => {
      const previous = findLive(this.#deployment, 'champion')
      await this.#commit(decide(this.#deployment), 'replaced', cause)
      const champion = findLive(this.#deployment, 'champion')
      if (previous === undefined || champion === undefined) throw new Error('A promotion left no champion')
      const { epoch } = this.#deployment
      this.#options.logger.info({ champion: champion.name, previous: previous.name, epoch }, 'Champion changed')
      return {
        schema: 'regatta/promote/v1',
        champion: champion.name,
        version: champion.version,
        previous: previous.name,
        epoch,
      }
    })
  }

  async #addVariant(variant: Omit<NewVariant, 'at'>): Promise<number> {
    const { name, version, digest, id } = variant
    const at = this.#options.clock()
    return await this.#options.store.addVariant({ name, version, digest, at, ...(id !== undefined && { id }) })
  }

  /**
   * Makes a deployment the current one. Its epoch is opened and its races started before the first routes name them;
   * a race ends once the routes have changed, so that a promotion waits for nothing but the routes.
   */
  async #commit(wanted: Deployment, how: RaceSwitch['how'], cause: ChangeCause): Promise<void> {
    const { store, clock, onRace } = this.#options
    let next = wanted
    if (wanted.epoch !== this.#deployment.epoch) {
      next = { ...wanted, epoch: Math.max(wanted.epoch, this.#lastEpoch + 1) }
      this.#lastEpoch = next.epoch
      const at = clock()
      await store.openEpoch({ epoch: next.epoch, startedAt: at, weights: toWeights(next) })
      this.#isRestored = cause.kind === 'restore'
      await store.addDeploymentChange({ ...cause, epoch: next.epoch, at, variants: toChangedVariants(next) })
      if (await startRaces(this.#toSwitch(next, how))) onRace()
    }
    await this.#publish(next)
    if (await endRaces(this.#toSwitch(next, how))) onRace()
    this.#stopLeaving()
  }

  #toSwitch(deployment: Deployment, how: RaceSwitch['how']): RaceSwitch {
    const { store, project, clock } = this.#options
    return { store, deployment, toSpec: ramp => toRaceSpec(project, ramp), at: clock(), how }
  }

  /** Writes and hands out the routes where they changed. */
  async #publish(next: Deployment): Promise<void> {
    const { project, target, onRoutes } = this.#options
    const routes = toRoutes(next, project.name, target.state(), this.#capture)
    const isNew = toCanonicalJson(routes) !== toCanonicalJson(this.#routes ?? null)
    if (isNew && (next.live.length > 0 || this.#routes !== undefined)) {
      await target.writeRoutes(routes)
      this.#routes = routes
    }
    this.#deployment = next
    if (isNew && this.#routes !== undefined) onRoutes(this.#routes)
  }

  /** Stops replicas that left the routes, once every gateway has had time to hear of it. */
  #stopLeaving(): void {
    const ids = this.#deployment.leaving.map(member => member.id).filter(id => !this.#leaving.has(id))
    if (ids.length === 0 || this.#closing.signal.aborted) return
    const stop = async (): Promise<void> => {
      const next = release(this.#deployment, ids)
      if (next.leaving.length === this.#deployment.leaving.length) return
      await this.#apply(next)
      this.#deployment = next
    }
    for (const id of ids) this.#leaving.add(id)
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      for (const id of ids) this.#leaving.delete(id)
      void this.#queue.run(stop).catch(error => this.#report('Cannot stop replicas that were replaced', error))
    }, this.#options.leaveMs)
    this.#timers.add(timer)
  }

  async #apply(next: Deployment): Promise<void> {
    const { target, project } = this.#options
    await target.apply(toPlan(next, project.name, project.serve.replicas), this.#closing.signal)
  }

  #readyOf(): (id: number) => number {
    return toReadyCount(this.#options.target.state())
  }

  /** Many changes of the target that come at once are followed once. */
  #followLater(): void {
    if (this.#followQueued || this.#closing.signal.aborted) return
    this.#followQueued = true
    const follow = async (): Promise<void> => {
      this.#followQueued = false
      await this.#settle()
    }
    void this.#queue.run(follow).catch(error => {
      this.#followQueued = false
      this.#report('Cannot follow the target', error)
    })
  }

  /** Lets ready variants into the routes, and the routes follow the replicas. */
  async #settle(): Promise<void> {
    const next = settle(this.#deployment, this.#readyOf(), this.#options.project.serve.replicas)
    const waiting = new Set(next.pending.map(({ id }) => id))
    const entered = this.#deployment.pending.findLast(({ id }) => !waiting.has(id))
    await this.#commit(next, 'replaced', this.#causes.get(entered?.id ?? 0) ?? RESTORED)
    for (const id of this.#causes.keys()) if (!waiting.has(id)) this.#causes.delete(id)
  }

  #report(what: string, error: unknown): void {
    this.#options.logger.error({ code: 'DEPLOYER', error: toErrorText(error) }, what)
  }
}

/** The database was replaced, or the routes by those on record. */
const RESTORED: ChangeCause = { kind: 'restore', by: 'control', reason: 'taken up from the record of the routes' }

function toNextEpoch(deployment: Deployment): Deployment {
  return { ...deployment, epoch: deployment.epoch + 1 }
}

function byControl(kind: ChangeCause['kind'], reason: string): ChangeCause {
  return { kind, by: 'control', reason }
}

function toVariantKey({ id, name, version, digest }: Omit<StoredVariant, 'at'>): string {
  return `${id} ${name} ${version} ${digest}`
}
