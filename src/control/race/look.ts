import type { Digest } from '../../core/brands.ts'
import type { Clock } from '../../core/clock.ts'
import { toErrorText } from '../../core/errors.ts'
import {
  type ArmNames,
  type Guardrail,
  judgeRace,
  toEmptyOrdered,
  toLossName,
  type Verdict,
} from '../../judge/index.ts'
import type { Decision, Durations, RaceSpec, Store, StoredRace, StoredVariant } from '../../store/index.ts'
import type { ArmJson, RaceJson } from '../api/race.ts'
import type { Placed } from '../deployment/deployment.ts'
import type { Logger } from '../logger.ts'
import { type Arrival, noteArrival, toLabelsPerDay } from './arrivals.ts'
import { toEvidence, toMeanLosses } from './evidence.ts'
import { type Checkpoint, follow } from './following.ts'
import { toRaceGuardrails } from './guardrails.ts'
import { type Racer, toRaceJson } from './json.ts'
import type { LatenessRow } from './lateness.ts'
import { remember } from './remembering.ts'
import { toRaceRule, toSpecDigest } from './rule.ts'
import { findMove } from './steering.ts'
import { toShown } from './verdict.ts'

const HOUR_MS = 3_600_000

/** What a look works with. */
export interface LookWorld {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  /** The parameters of an image's run. */
  readonly readParams: (image: Digest) => Promise<ArmJson['params']>
  /** Where a challenger is in the deployment; undefined where it is not. */
  readonly findPlaced: (variant: number) => Placed | undefined
  /** The rule of a race that starts now, whose challenger has this ramp. */
  readonly toSpec: (ramp: readonly number[]) => RaceSpec
}

/** What was seen of a race. */
export interface Look {
  readonly race: StoredRace
  readonly comparisons: number
  readonly verdict: Verdict
  readonly decision: Decision | undefined
  /** The decision was just written. */
  readonly isFirst: boolean
  readonly drift: boolean
  readonly guardrails: readonly Guardrail[]
  readonly placed: Placed | undefined
  readonly kept: Kept
  /** The cap of the losses, where it is set. */
  readonly cap: number | undefined
  readonly json: RaceJson
}

/** What the next look at a race begins with. */
export interface Kept {
  /** How many labels there were, and when. */
  readonly arrivals: readonly Arrival[]
  /** Its pairs, where their order matters. */
  readonly followed: readonly Checkpoint[]
  /** How long its truths took, by variant. */
  readonly lateness: readonly LatenessRow[]
}

/** Before the first look. */
export const NOTHING_KEPT: Kept = { arrivals: [], followed: [], lateness: [] }

/**
 * Judges a race by what is in the database, and writes its decision down where it has just crossed. It costs what is
 * new since the look before (`before`), however long the race.
 */
export async function lookAt(world: LookWorld, race: StoredRace, comparisons: number, before: Kept): Promise<Look> {
  const { store, clock } = world
  const sums = await store.readSums(race.id)
  const followed = await followPairs(store, race, before.followed)
  const racers = await readRacers(world, race)
  const evidence = toEvidence(race, { sums, ordered: followed.at(-1)?.state })
  const meanLosses = toMeanLosses(race, sums)
  const verdict = judgeRace(toRaceRule(race, comparisons), evidence, toNames(race, racers, meanLosses))
  const truths = await store.readTruthCounts()
  const truthRevision = truths.new + truths.revised + truths.orphan
  const stamp = { at: clock(), spec: toSpecDigest(race.spec), truthRevision }
  const isOtherRule = race.ended === undefined && stamp.spec !== toSpecDigest(world.toSpec(race.spec.ramp))
  const { decision, history, isFirst } = await remember(store, race, verdict, stamp)
  if (isFirst) world.logger.info({ ...decision }, 'The race is decided')
  const placed = race.ended === undefined ? world.findPlaced(race.b) : undefined
  const { board } = sums
  const epochs = board.epochs.map(({ epoch }) => epoch)
  const durations = await store.readDurations(race.id)
  const guardrails = toRaceGuardrails(race, comparisons, epochs, { sums, durations })
  const shown = toShown(verdict, { decision, history }, race.ended)
  const seen = { race, comparisons, verdict, decision, isFirst, guardrails, drift: shown.drift, placed }
  const move = placed && findMove({ ...seen, ...placed })
  const events = await store.readRaceEvents(race.id)
  const now = { at: clock(), labels: verdict.n }
  const arrivals = noteArrival(before.arrivals, now)
  const arrived = { labelsPerDay: toLabelsPerDay(arrivals, now, race.startedAt), now: now.at }
  const ages = { durations, mature: await store.readMaturity(race.id, toMatureBefore(race, now.at)) }
  const json = toRaceJson({
    ...seen,
    racers,
    board,
    meanLosses,
    ages,
    shown,
    move,
    events,
    truths,
    isOtherRule,
    ...arrived,
  })
  return {
    ...seen,
    kept: { arrivals, followed, lateness: racers.map(racer => toLatenessRow(race, racer, durations)) },
    cap: sums.cap?.at,
    json,
  }
}

/** Where truth may take no time, the predictions of this hour are judged, too. */
function toMatureBefore({ spec }: StoredRace, now: number): number {
  return spec.maturityMs === 0 ? now + HOUR_MS : now - spec.maturityMs
}

async function followPairs(
  store: Store,
  { id, design, spec }: StoredRace,
  known: readonly Checkpoint[],
): Promise<readonly Checkpoint[]> {
  const empty = design === 'paired' ? toEmptyOrdered(spec) : undefined
  return empty === undefined ? [] : await follow(store, id, empty, known)
}

async function readRacers(world: LookWorld, { a, b }: StoredRace): Promise<readonly [Racer, Racer]> {
  const variants = await world.store.readVariants()
  const read = async (id: number): Promise<Racer> => {
    const variant = variants.find(one => one.id === id)
    if (variant === undefined) throw new Error(`The database has a race of variant ${id}, which it does not know`)
    return { variant, params: await readParams(world, variant) }
  }
  return [await read(a), await read(b)]
}

function toLatenessRow({ id }: StoredRace, { variant }: Racer, durations: readonly Durations[]): LatenessRow {
  const own = durations.filter(one => one.variant === variant.id && one.name === 'lateness')
  return { labels: { race: String(id), variant: variant.name }, buckets: own.flatMap(({ buckets }) => buckets) }
}

/** A race goes on without its parameters where the image was removed. */
async function readParams(
  { logger, readParams }: LookWorld,
  { name, digest }: StoredVariant,
): Promise<ArmJson['params']> {
  try {
    return await readParams(digest)
  } catch (error) {
    logger.warn({ variant: name, error: toErrorText(error) }, 'Cannot read the parameters of a variant')
    return {}
  }
}

function toNames(
  { spec }: StoredRace,
  [a, b]: readonly [Racer, Racer],
  [meanLossA]: ReturnType<typeof toMeanLosses>,
): ArmNames {
  const names = { a: a.variant.name, b: b.variant.name, loss: toLossName(spec.loss) }
  return meanLossA === undefined ? names : { ...names, meanLossA }
}
