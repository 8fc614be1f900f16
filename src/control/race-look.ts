import type { Digest } from '../core/brands.ts'
import type { Clock } from '../core/clock.ts'
import { toErrorText } from '../core/errors.ts'
import type { ArmNames, Guardrail, Verdict } from '../judge/index.ts'
import type { Decision, Scoreboard, Store, StoredRace, StoredVariant } from '../store/index.ts'
import type { ArmJson, RaceJson } from './api.ts'
import { type Arrival, noteArrival, toLabelsPerDay } from './arrivals.ts'
import type { Placed } from './deployment.ts'
import { readGuardrails } from './guardrails.ts'
import type { Logger } from './logger.ts'
import { type Racer, toRaceJson } from './race-json.ts'
import { findMove } from './steering.ts'
import { isDecided, judge, needsDifferences, toDecision, toShown } from './verdict.ts'

/** What a look works with. */
export interface LookWorld {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  /** The parameters of an image's run. */
  readonly readParams: (image: Digest) => Promise<ArmJson['params']>
  /** Where a challenger is in the deployment; undefined where it is not. */
  readonly findPlaced: (variant: number) => Placed | undefined
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
  /** How many labels there were, and when. */
  readonly arrivals: readonly Arrival[]
  readonly json: RaceJson
}

/**
 * Judges a race by what is in the database, and writes its decision down where it has just crossed. `before`: the
 * arrivals of the look before.
 */
export async function lookAt(
  world: LookWorld,
  race: StoredRace,
  comparisons: number,
  before: readonly Arrival[],
): Promise<Look> {
  const { store, clock } = world
  const board = await store.readScoreboard(race.id)
  const differences = needsDifferences(race) ? await store.readDifferences(race.id) : undefined
  const racers = await readRacers(world, race)
  const verdict = judge({ race, comparisons, board, differences }, toNames(racers, board))
  const { decision, isFirst } = await decide(world, race, verdict)
  const placed = race.ended === undefined ? world.findPlaced(race.b) : undefined
  const epochs = board.epochs.map(({ epoch }) => epoch)
  const guardrails = await readGuardrails(store, race, comparisons, epochs)
  const shown = toShown(verdict, decision, race.ended)
  const seen = { race, comparisons, verdict, decision, isFirst, guardrails, drift: shown.drift, placed }
  const move = placed && findMove({ ...seen, ...placed })
  const events = await store.readRaceEvents(race.id)
  const truths = await store.readTruthCounts()
  const now = { at: clock(), labels: verdict.n }
  const arrivals = noteArrival(before, now)
  const arrived = { labelsPerDay: toLabelsPerDay(arrivals, now, race.startedAt), now: now.at }
  const json = toRaceJson({ ...seen, racers, board, shown, move, events, truths, ...arrived })
  return { ...seen, arrivals, json }
}

/** Reads the decision, or writes it where the race has just crossed. */
async function decide(
  { store, clock, logger }: LookWorld,
  race: StoredRace,
  verdict: Verdict,
): Promise<Pick<Look, 'decision' | 'isFirst'>> {
  const known = await store.readDecision(race.id)
  if (known !== undefined || race.ended !== undefined || !isDecided(verdict.state))
    return { decision: known, isFirst: false }
  const decision = await store.addDecision(toDecision(race.id, clock(), verdict))
  logger.info({ ...decision }, 'The race is decided')
  return { decision, isFirst: true }
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

function toNames([a, b]: readonly [Racer, Racer], board: Scoreboard): ArmNames {
  const { count, mean } = board.arms[0].loss
  return { a: a.variant.name, b: b.variant.name, ...(count > 0 && { meanLossA: mean }) }
}
