import type { Project } from '../../config/index.ts'
import type { Clock } from '../../core/clock.ts'
import type { RecordBatch } from '../../core/wire/records.ts'
import type { Target } from '../../deploy/index.ts'
import type { Store, TruthSubject } from '../../store/index.ts'
import type { RaceJson } from '../api/race.ts'
import type { StatusJson } from '../api/status.ts'
import type { Deployment } from '../deployment/deployment.ts'
import type { Logger } from '../logger.ts'
import { LossWatch } from './loss-watch.ts'
import { ReplicaLoads } from './replica-loads.ts'
import { ReplicaLosses } from './replica-losses.ts'
import { type Throttled, toSlowness } from './slowness.ts'
import { toStatus } from './status.ts'
import { StatusWatch } from './status-watch.node.ts'
import { watchThrottling } from './throttle-watch.node.ts'

/** What the watch works with. */
export interface HealthWatchOptions {
  readonly project: Project
  readonly target: Target
  readonly store: Pick<Store, 'readLabels'>
  readonly clock: Clock
  readonly logger: Logger
  /** Changes within this time are told together, ms. */
  readonly statusDelayMs: number
  /** From one look at how replicas perform to the next, ms. */
  readonly lookMs: number
  readonly readDeployment: () => Deployment
  readonly readRaces: () => readonly RaceJson[]
  readonly readDroppedRecords: () => number
  /** Told of a status that differs from the one before. */
  readonly onStatus: (status: StatusJson) => void
  /** Told of the status after each look, whether it differs or not. */
  readonly onLook: (status: StatusJson) => void
}

/** Watches how a deployment is: what its replicas answer, how fast, how often not at all, and what they lose by it. */
export class HealthWatch implements AsyncDisposable {
  readonly #options: HealthWatchOptions
  readonly #loads = new ReplicaLoads()
  readonly #losses = new ReplicaLosses()
  readonly #status: StatusWatch
  readonly #lossWatch: LossWatch
  #throttled: Throttled = new Map()
  readonly #begun = new DisposableStack()

  constructor(options: HealthWatchOptions) {
    const { project, store, logger, statusDelayMs, onStatus } = options
    const readStatus = () => this.read()
    const onLook = () => this.touch()
    this.#options = options
    this.#status = new StatusWatch({ delayMs: statusDelayMs, readStatus, onStatus })
    this.#lossWatch = new LossWatch({ store, loss: project.race.loss, losses: this.#losses, logger, onLook })
  }

  /** Begins to follow the target and to look at its replicas. */
  begin(): void {
    const { target, lookMs, onLook } = this.#options
    this.#begun.defer(target.observe(() => this.touch()))
    this.#begun.use(
      watchThrottling({
        periodMs: lookMs,
        readReplicas: () => target.state().replicas,
        onLook: throttled => {
          this.#throttled = throttled
          this.touch()
          onLook(this.read())
        },
      }),
    )
  }

  /** How the deployment is now. */
  read(): StatusJson {
    const { project, target, clock, readDeployment, readRaces, readDroppedRecords } = this.#options
    return toStatus(readDeployment(), target.state(), {
      name: project.name,
      target: target.kind,
      replicas: project.serve.replicas,
      droppedRecords: readDroppedRecords(),
      races: readRaces(),
      slow: toSlowness({ loads: this.#loads.read(clock()), throttled: this.#throttled, losses: this.#losses.read() }),
    })
  }

  /** Notes that something that the status shows may have changed. */
  touch(): void {
    this.#status.touch()
  }

  /** Notes what was asked and answered. */
  noteRecords(records: RecordBatch['records']): void {
    const now = this.#options.clock()
    for (const record of records) this.#loads.note(record, now)
  }

  /** Notes that truths were stored, or that predictions came for truths that waited. */
  noteTruths(subjects: readonly TruthSubject[]): void {
    this.#lossWatch.note(subjects)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#begun.dispose()
    this.#status.close()
    await this.#lossWatch[Symbol.asyncDispose]()
  }
}
