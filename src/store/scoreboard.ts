import { emptyMoments, type Moments, merge } from '../judge/index.ts'
import { findRace, readRaceEpochs } from './races.ts'
import { build, type Sql, statement } from './sql.ts'
import type { Arm, EpochArms, Scoreboard, StoredEpoch, StoredRace } from './store.ts'

/** The sums of a race, from aggregates alone: as fast after a million labels as after ten. */
export function readScoreboard(sql: Sql, id: number): Scoreboard {
  const race = findRace(sql, id)
  if (race === undefined) throw new Error(`There is no race ${id}`)
  const sums = sql.all(build.selectFrom('aggregate').selectAll().where('race', '=', id).compile())
  const tallies = sql.all(build.selectFrom('tally').selectAll().where('race', '=', id).compile())
  const total = (of: (tally: Tally) => number, rows: readonly Tally[]): number =>
    rows.reduce((sum, tally) => sum + of(tally), 0)
  const pairs = sums.filter(({ part }) => part === 'pair')
  const paired = mergeAll(pairs)
  const toArm = (variant: number): Arm => ({
    variant,
    predictions: total(
      tally => tally.predictions,
      tallies.filter(tally => tally.variant === variant),
    ),
    loss: mergeAll(sums.filter(sum => sum.part !== 'pair' && sum.variant === variant)),
  })
  return {
    race: id,
    arms: [toArm(race.a), toArm(race.b)],
    paired,
    discordant: pairs.reduce((sum, { events }) => sum + events, 0),
    dominance: readDominance(sql, id, paired),
    epochs: readRaceEpochs(sql, id).map(epoch => toEpochArms(race, epoch, sums, tallies)),
    refused: total(tally => tally.refused, tallies),
  }
}

/** Paired differences in the order of the times that they are for. */
export function readDifferences(sql: Sql, race: number): Float64Array {
  return Float64Array.from(sql.all(listDifferences(race)), ({ difference }) => difference)
}

interface Sum extends Moments {
  readonly part: 'drawn' | 'other' | 'pair'
  readonly epoch: number
  readonly variant: number
  readonly events: number
}

interface Tally {
  readonly epoch: number
  readonly variant: number
  readonly predictions: number
  readonly drawn: number
  readonly repeated: number
  readonly refused: number
}

function toEpochArms(
  race: StoredRace,
  { epoch, weights }: StoredEpoch,
  sums: readonly Sum[],
  tallies: readonly Tally[],
): EpochArms {
  const drawnBy = (variant: number): readonly Sum[] =>
    sums.filter(sum => sum.epoch === epoch && sum.part === 'drawn' && sum.variant === variant)
  const countOf = (variant: number, name: 'drawn' | 'repeated'): number =>
    tallies.find(tally => tally.epoch === epoch && tally.variant === variant)?.[name] ?? 0
  const eventsOf = (variant: number): number => drawnBy(variant).reduce((sum, { events }) => sum + events, 0)
  const [weightA, weightB] = [weights[race.a] ?? 0, weights[race.b] ?? 0]
  return {
    epoch,
    weightB: weightB === 0 ? 0 : weightB / (weightA + weightB),
    a: mergeAll(drawnBy(race.a)),
    b: mergeAll(drawnBy(race.b)),
    eventsA: eventsOf(race.a),
    eventsB: eventsOf(race.b),
    servedA: countOf(race.a, 'drawn'),
    servedB: countOf(race.b, 'drawn'),
    repeated: countOf(race.a, 'repeated') + countOf(race.b, 'repeated'),
  }
}

function mergeAll(sums: readonly Moments[]): Moments {
  const { count, mean, m2 } = sums.reduce(merge, emptyMoments)
  return { count, mean, m2 }
}

/** The label farthest from the mean is the smallest or the largest: two look-ups in an index. */
function readDominance(sql: Sql, race: number, { mean, m2 }: Moments): number {
  if (m2 === 0) return 0
  const ends = [sql.get(findSmallest(race)), sql.get(findLargest(race))]
  return Math.min(1, Math.max(0, ...ends.map(end => (end === undefined ? 0 : (end.difference - mean) ** 2 / m2))))
}

interface Difference {
  readonly difference: number
}
const listDifferences = statement<[number], Difference>(
  'select difference from pair where race = ? order by at, request, row',
)
const findSmallest = statement<[number], Difference>(
  'select difference from pair where race = ? order by difference limit 1',
)
const findLargest = statement<[number], Difference>(
  'select difference from pair where race = ? order by difference desc limit 1',
)
