import { emptyMoments, type Moments, merge, toDominance, toFarthest } from '../../judge/index.ts'
import type { StoredEpoch } from '../facts/deployment.ts'
import type { StoredRace } from '../facts/race.ts'
import type { Arm, EpochArms, Scoreboard } from '../facts/sums.ts'
import { findRace } from '../races.ts'
import type { AggregatePart } from '../schema/schema.ts'
import { type Sql, statement } from '../sql.ts'
import { type Ends, mergeEnds, noEnds } from './ends.ts'
import type { Tally } from './tallies.ts'

/** The sums of a race, from aggregates alone: as fast after a million labels as after ten. */
export async function readScoreboard(sql: Sql, id: number): Promise<Scoreboard> {
  return toScoreboard(await readBoardRows(sql, id))
}

/** What the scoreboard of a race is made from. */
export interface BoardRows {
  readonly race: StoredRace
  readonly epochs: readonly StoredEpoch[]
  readonly sums: readonly Sum[]
  readonly tallies: readonly VariantTally[]
}

/** Reads what the scoreboard of a race is made from, all at once. */
export async function readBoardRows(sql: Sql, id: number): Promise<BoardRows> {
  const [found, sums, tallies] = await Promise.all([findRace(sql, id), sql.all(listSums(id)), sql.all(listTallies(id))])
  return { ...found, sums, tallies }
}

/** Adds up the sums of a race. */
export function toScoreboard({ race, epochs, sums, tallies }: BoardRows): Scoreboard {
  const pairs = sums.filter(({ part }) => part === 'pair')
  const paired = mergeAll(pairs)
  const toArm = (variant: number): Arm => ({
    variant,
    predictions: total(
      tallies.filter(tally => tally.variant === variant),
      'predictions',
    ),
    loss: mergeAll(sums.filter(sum => (sum.part === 'drawn' || sum.part === 'other') && sum.variant === variant)),
    young: mergeAll(sums.filter(sum => sum.part === 'young' && sum.variant === variant)),
  })
  return {
    race: race.id,
    arms: [toArm(race.a), toArm(race.b)],
    paired,
    discordant: total(pairs, 'events'),
    wins: total(pairs, 'above'),
    dominance: toDominance(toFarthestOf(pairs, paired.mean), paired.m2),
    armsDominance: toArmsDominance(race, epochs, sums),
    epochs: epochs.map(epoch => toEpochArms(race, epoch, sums, tallies)),
    refused: total(tallies, 'refused'),
  }
}

interface Sum extends Moments, Ends {
  readonly part: AggregatePart
  readonly epoch: number
  readonly variant: number
  readonly events: number
  readonly above: number
}

interface VariantTally extends Tally {
  readonly epoch: number
  readonly variant: number
}

function total<name extends string>(rows: readonly Readonly<Record<name, number>>[], of: name): number {
  return rows.reduce((sum, row) => sum + row[of], 0)
}

function toEpochArms(
  race: StoredRace,
  { epoch, weights }: StoredEpoch,
  sums: readonly Sum[],
  tallies: readonly VariantTally[],
): EpochArms {
  const drawnBy = (variant: number): readonly Sum[] => listDrawn(sums, epoch, variant)
  const countOf = (variant: number, name: 'drawn' | 'repeated'): number =>
    tallies.find(tally => tally.epoch === epoch && tally.variant === variant)?.[name] ?? 0
  const [weightA, weightB] = [weights[race.a] ?? 0, weights[race.b] ?? 0]
  return {
    epoch,
    weightB: weightB === 0 ? 0 : weightB / (weightA + weightB),
    a: mergeAll(drawnBy(race.a)),
    b: mergeAll(drawnBy(race.b)),
    eventsA: total(drawnBy(race.a), 'events'),
    eventsB: total(drawnBy(race.b), 'events'),
    servedA: countOf(race.a, 'drawn'),
    servedB: countOf(race.b, 'drawn'),
    repeated: countOf(race.a, 'repeated') + countOf(race.b, 'repeated'),
  }
}

function mergeAll(sums: readonly Moments[]): Moments {
  const { count, mean, m2 } = sums.reduce(merge, emptyMoments)
  return { count, mean, m2 }
}

/** Of all arms of all epochs together: one label that is far from the mean of its arm shifts the race. */
function toArmsDominance({ a, b }: StoredRace, epochs: readonly StoredEpoch[], sums: readonly Sum[]): number {
  const arms = epochs.flatMap(({ epoch }) => [a, b].map(variant => listDrawn(sums, epoch, variant)))
  const all = arms.map(mergeAll)
  const far = Math.max(0, ...arms.map((own, at) => toFarthestOf(own, all[at]?.mean ?? 0)))
  return toDominance(
    far,
    all.reduce((sum, { m2 }) => sum + m2, 0),
  )
}

/** The sums of what chance gave to a variant in an epoch. */
function listDrawn(sums: readonly Sum[], epoch: number, variant: number): readonly Sum[] {
  return sums.filter(sum => sum.epoch === epoch && sum.part === 'drawn' && sum.variant === variant)
}

/** The label farthest from the mean is the smallest or the largest. */
function toFarthestOf(rows: readonly Ends[], mean: number): number {
  const ends = rows.reduce(mergeEnds, noEnds)
  return ends.lows === 0 ? 0 : toFarthest(ends, mean)
}

const listSums = statement<[number], Sum>(
  `select epoch, part, variant, count, mean, m2, events, above, low, lows, high, highs
    from aggregate where race = ? order by epoch, part, variant, day`,
)
const listTallies = statement<[number], VariantTally>('select * from tally where race = ? order by epoch, variant')
