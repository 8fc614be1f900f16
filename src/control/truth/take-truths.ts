import type { Clock } from '../../core/clock.ts'
import { RegattaError } from '../../core/errors.ts'
import type { HttpRequest } from '../../core/http/http.ts'
import { isSampled } from '../../core/uuid.ts'
import type { Store, Truth } from '../../store/index.ts'
import type { TruthCountsJson, TruthProblemJson, TruthResponseJson } from '../api/truth.ts'
import { toControlError } from '../errors.ts'
import { type ControlMetrics, countTruths } from '../metrics.ts'
import type { Patience } from '../patience.node.ts'
import type { Privacy } from './privacy.ts'
import { readTruths, type TruthReading } from './truths.ts'

/** What truths are taken in with. */
export interface TruthWorld {
  readonly store: Pick<Store, 'addTruths'>
  readonly races: { touch(): void }
  readonly health: { noteTruths(truths: readonly Truth[]): void }
  readonly patience: Pick<Patience, 'run'>
  readonly metrics: ControlMetrics
  readonly privacy: Pick<Privacy, 'hideTruth'>
  /** Share of the requests that are recorded; undefined: all. */
  readonly sample: number | undefined
  readonly clock: Clock
}

/** Room that a truth takes while it waits, about. */
const TRUTH_BYTES = 256
/** Problems that an answer tells. */
const MAX_PROBLEMS = 1000

/**
 * Stores the truths of a request, of a stream while it arrives. What was stored before an item that is wrong stays:
 * the same truths sent again count once.
 *
 * @throws TRUTH, and what the store throws
 */
export async function takeTruths(
  world: TruthWorld,
  request: HttpRequest,
  reading: TruthReading,
): Promise<TruthResponseJson> {
  const { store, races, health, patience, privacy, sample, metrics, clock } = world
  let counts: TruthCountsJson = { new: 0, duplicate: 0, revised: 0, stale: 0, conflict: 0, orphan: 0 }
  let refused = 0
  const problems: TruthProblemJson[] = []
  const body = { contentType: request.headers['content-type'], chunks: toChunks(request) }
  try {
    for await (const part of readTruths(body, reading)) {
      const kept = part.truths.filter(truth => isKept(truth, sample)).map(privacy.hideTruth)
      const stored = await patience.run(kept.length * TRUTH_BYTES, () => store.addTruths(kept, clock()))
      const added = { ...stored, stale: stored.stale + part.truths.length - kept.length }
      counts = sum(counts, added)
      refused += part.problems.length
      problems.push(...part.problems.slice(0, MAX_PROBLEMS - problems.length))
      countTruths(metrics, { ...added, refused: part.problems.length })
      races.touch()
      health.noteTruths(kept)
    }
  } catch (error) {
    if (!(error instanceof RegattaError) || error.code !== 'TRUTH') throw error
    countTruths(metrics, { refused: 1 })
    throw toStopped(error, counts)
  }
  return { schema: 'regatta/truth/v1', ...counts, refused, problems }
}

/** A truth about a request that is not in the sample is about nothing that was recorded. */
function isKept(truth: Truth, sample: number | undefined): boolean {
  return truth.by === 'series' || sample === undefined || isSampled(truth.id.request, sample)
}

async function* toChunks({ body, chunks }: HttpRequest): AsyncGenerator<Uint8Array> {
  if (chunks === undefined) yield body
  else yield* chunks
}

function sum(a: TruthCountsJson, b: TruthCountsJson): TruthCountsJson {
  return {
    new: a.new + b.new,
    duplicate: a.duplicate + b.duplicate,
    revised: a.revised + b.revised,
    stale: a.stale + b.stale,
    conflict: a.conflict + b.conflict,
    orphan: a.orphan + b.orphan,
  }
}

function toStopped(error: RegattaError, counts: TruthCountsJson): RegattaError {
  const taken = Object.values(counts).reduce((total, count) => total + count, 0)
  if (taken === 0) return error
  const what = `${error.message}; ${taken} truths before it were taken, and count once where they come again`
  return toControlError('TRUTH', what, error.fix ?? 'Send the rest', error.cause)
}
