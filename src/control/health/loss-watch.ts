import { toErrorText } from '../../core/errors.ts'
import { type LossSpec, toLoss } from '../../judge/index.ts'
import type { Store, TruthSubject } from '../../store/index.ts'
import type { Logger } from '../logger.ts'
import type { ReplicaLosses } from './replica-losses.ts'

/** What the watch works with. */
export interface LossWatchOptions {
  readonly store: Pick<Store, 'readLabels'>
  readonly loss: LossSpec
  readonly losses: ReplicaLosses
  readonly logger: Logger
  /** Told after each look. */
  readonly onLook: () => void
}

/** Labels of one look: taking truths in must not become slower, and a part of many tells as much. */
const MAX_LABELS = 100

/**
 * Looks at what replicas lost where truths have just come. It looks at one lot at a time and passes over what comes
 * meanwhile: nobody waits for it.
 */
export class LossWatch implements AsyncDisposable {
  readonly #options: LossWatchOptions
  #looking: Promise<void> | undefined
  #closed = false

  constructor(options: LossWatchOptions) {
    this.#options = options
  }

  /** Notes that truths were stored, or that predictions came for truths that waited. */
  note(subjects: readonly TruthSubject[]): void {
    if (this.#closed || this.#looking !== undefined || subjects.length === 0) return
    this.#looking = this.#look(toSome(subjects)).finally(() => {
      this.#looking = undefined
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await this.#looking
  }

  /** Never rejects. */
  async #look(subjects: readonly TruthSubject[]): Promise<void> {
    const { store, loss, losses, logger, onLook } = this.#options
    try {
      const labels = await store.readLabels(subjects)
      losses.note(
        labels.flatMap(({ request, variant, replica, prediction, truth }) => {
          const lost = toLoss(loss, prediction, truth)
          return lost === undefined ? [] : [{ request, variant, replica, loss: lost }]
        }),
      )
      onLook()
    } catch (error) {
      logger.warn({ code: 'LOSS_WATCH', error: toErrorText(error) }, 'Cannot compare the losses of replicas')
    }
  }
}

/** One row of each request, of many requests some from everywhere. */
function toSome(subjects: readonly TruthSubject[]): readonly TruthSubject[] {
  const single = [...new Map(subjects.map(subject => [toKey(subject), subject])).values()]
  const step = Math.max(1, single.length / MAX_LABELS)
  const count = Math.min(single.length, MAX_LABELS)
  return Array.from({ length: count }, (_, index) => single[Math.floor(index * step)]).filter(one => one !== undefined)
}

function toKey(subject: TruthSubject): string {
  return subject.by === 'prediction' ? subject.id.request : `${subject.series}@${subject.at}`
}
