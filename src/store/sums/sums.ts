import type { ArmSums, CapSums, CrossSums, Durations, Maturity, RaceSums } from '../facts/sums.ts'
import { type Sql, statement } from '../sql.ts'
import { readCap } from './caps.ts'
import { type CrossColumns, emptyCross, mergeCross, toRow } from './cross-ledger.ts'
import { type BoardRows, readBoardRows, toScoreboard } from './scoreboard.ts'

const HOUR_MS = 3_600_000

/** The scoreboard of a race, and its sums beside that. */
export async function readSums(sql: Sql, race: number): Promise<RaceSums> {
  const [rows, crosses] = await Promise.all([readBoardRows(sql, race), sql.all(listCrosses(race))])
  const of = (part: CrossColumns['part'], own = crosses): CrossSums =>
    own
      .filter(cross => cross.part === part)
      .map(toRow)
      .reduce(mergeCross, emptyCross)
  const arms = rows.tallies.map(({ epoch, variant, answers, errors }): ArmSums => {
    const own = crosses.filter(cross => cross.epoch === epoch && cross.variant === variant)
    const sums = { ratio: of('ratio', own), covariate: of('covariate', own), clusters: of('cluster', own) }
    return { epoch, variant, answers, errors, ...sums }
  })
  const pairs = crosses.filter(({ variant }) => variant === 0)
  return {
    board: toScoreboard(rows),
    arms,
    pairRatio: of('ratio-pair', pairs),
    pairClusters: of('cluster', pairs),
    cap: await readCapSums(sql, rows),
  }
}

async function readCapSums(sql: Sql, { race, tallies }: BoardRows): Promise<CapSums | undefined> {
  if (race.spec.cap === undefined) return undefined
  return { ...(await readCap(sql, race.id)), capped: tallies.reduce((sum, { capped }) => sum + capped, 0) }
}

/** How long answers of a race took, and how long its truths were waited for. */
export async function readDurations(sql: Sql, race: number): Promise<readonly Durations[]> {
  const groups = new Map<string, Omit<Durations, 'buckets'> & { readonly buckets: Durations['buckets'][number][] }>()
  for (const { epoch, variant, name, bucket, count } of await sql.all(listBuckets(race))) {
    const id = `${epoch} ${variant} ${name}`
    const group = groups.get(id) ?? { epoch, variant, name, buckets: [] }
    group.buckets.push({ bucket, count })
    groups.set(id, group)
  }
  return [...groups.values()]
}

/** Predictions of requests before the hour of an instant, and those of them that have a truth. */
export async function readMaturity(sql: Sql, race: number, before: number): Promise<readonly Maturity[]> {
  const rows = await sql.all(sumMaturity(race, Math.floor(before / HOUR_MS)))
  return rows.map(({ epoch, variant, predictions, labelled }) => ({ epoch, variant, predictions, labelled }))
}

const listCrosses = statement<[number], CrossColumns>(
  'select * from cross_sum where race = ? order by epoch, part, variant, day',
)
const listBuckets = statement<[number], Omit<Durations, 'buckets'> & Durations['buckets'][number]>(
  'select epoch, variant, name, bucket, count from histogram where race = ? order by epoch, name, variant, bucket',
)
const sumMaturity = statement<[number, number], Maturity>(
  `select epoch, variant, sum(predictions) as predictions, sum(labelled) as labelled from maturity
    where race = ? and hour < ? group by epoch, variant order by epoch, variant`,
)
