import { emptyJoint, foldJoint, mergeJoint, removeJoint, toResidualSquare } from '../../judge/index.ts'
import type { CrossSums } from '../facts/sums.ts'
import { type CrossPart, STATE } from '../schema/schema.ts'
import { bulk, bulkDelete, bulkInsert, orReplace, type Sql, type Statement, statement } from '../sql.ts'
import { type Change, Changes } from './changes.ts'
import { type Cluster, toClusterTerms } from './clusters.ts'
import { type KeyRange, toDayRange } from './days.ts'

/** Which moments two numbers belong to; `variant` is 0 for pairs, `day` for clusters. */
export interface CrossKey {
  readonly race: number
  readonly epoch: number
  readonly part: CrossPart
  readonly variant: number
  readonly day: number
}

/** Two numbers that come together, of so many labels. */
export interface XY {
  readonly x: number
  readonly y: number
  readonly labels: number
}

/** Where a sum falls below this share of its peak, the digits that removing has cost are brought back from the data. */
const SOUND_SHARE = 1e-4

/** The moments of one key, as the database has them. */
export interface CrossRow extends CrossSums {
  readonly peakX: number
  readonly peakY: number
}

/** Pairs of numbers that are put into the moments of one key, and taken out. */
export type CrossChange = Change<CrossKey, XY>

/** Gathers the changes of one transaction to the moments of two numbers. */
export class CrossLedger {
  readonly #changes = new Changes<CrossKey, XY>(toId)

  /** The change of a key. */
  of(key: CrossKey): CrossChange {
    return this.#changes.of(key)
  }

  /** Puts an entity's labels and losses in the place of what they were. */
  turn({ race, epoch, variant }: Omit<CrossKey, 'day' | 'part'>, before: Cluster, after: Cluster): void {
    const change = this.of({ race, epoch, part: 'cluster', variant, day: 0 })
    if (before.count > 0) change.removed.push(toClusterTerms(before))
    if (after.count > 0) change.added.push(toClusterTerms(after))
  }

  /** Writes what was gathered. The rows of single predictions and of entities must be written before. */
  async flush(sql: Sql): Promise<void> {
    const changes = this.#changes.take()
    const keys = changes.map(({ key }) => key)
    const known = new Map((await sql.bulk(findCross, keys)).map(row => [toId(row), toRow(row)]))
    const rows: (readonly [CrossKey, CrossRow])[] = []
    for (const { key, added, removed } of changes) {
      const row = removed.reduce(takeOut, added.reduce(putIn, known.get(toId(key)) ?? emptyCross))
      const sound = removed.length === 0 || isSound(row)
      rows.push([key, sound ? row : await computeCross(sql, key, toDayRange(key.day))])
    }
    await writeCross(sql, rows)
  }
}

/** The moments of no data. */
export const emptyCross: CrossRow = { ...emptyJoint, peakX: 0, peakY: 0, labels: 0, events: 0, far: 0 }

/** The moments of two samples together. */
export function mergeCross(left: CrossSums, right: CrossSums): CrossRow {
  const moments = mergeJoint(left, right)
  const [labels, events] = [left.labels + right.labels, left.events + right.events]
  const far = Math.max(left.far, right.far)
  return { ...moments, peakX: moments.m2X, peakY: moments.m2Y, labels, events, far }
}

function putIn(row: CrossRow, { x, y, labels }: XY): CrossRow {
  const moments = foldJoint(row, x, y)
  // The judge has x and y the other way round.
  const square = toResidualSquare({ loss: y, weight: x }, { meanX: moments.meanY, meanY: moments.meanX })
  return {
    ...moments,
    peakX: Math.max(row.peakX, moments.m2X),
    peakY: Math.max(row.peakY, moments.m2Y),
    labels: row.labels + labels,
    events: row.events + Number(y !== 0),
    far: Math.max(row.far, square),
  }
}

function takeOut(row: CrossRow, { x, y, labels }: XY): CrossRow {
  const moments = removeJoint(row, x, y)
  if (moments.count === 0) return emptyCross
  return { ...row, ...moments, labels: row.labels - labels, events: row.events - Number(y !== 0) }
}

function isSound({ m2X, m2Y, peakX, peakY }: CrossRow): boolean {
  return m2X >= SOUND_SHARE * peakX && m2Y >= SOUND_SHARE * peakY
}

/** Reads the moments of a key; those of no data where it has none. */
export async function readCross(sql: Sql, key: CrossKey): Promise<CrossRow> {
  const [row] = await sql.bulk(findCross, [key])
  return row === undefined ? emptyCross : toRow(row)
}

/** Writes the moments of keys; those of no data are left out. */
export async function writeCross(sql: Sql, rows: readonly (readonly [CrossKey, CrossRow])[]): Promise<void> {
  const some = rows.filter(([, { count }]) => count > 0)
  await sql.bulk(
    putCross,
    some.map(([key, row]) => toColumns(key, row)),
  )
  const none = rows.filter(([, { count }]) => count === 0)
  await sql.bulk(
    dropCross,
    none.map(([key]) => key),
  )
}

/** Computes the moments of a key from single predictions and pairs of a range of requests, or from entities. */
export async function computeCross(sql: Sql, key: CrossKey, { from, to }: KeyRange): Promise<CrossRow> {
  const { race, epoch, part, variant } = key
  const queries = {
    cluster: () => listClusters(race, epoch, variant),
    covariate: () => listCovariates(from, to, epoch, variant),
    ratio: () => listRatios(from, to, epoch, variant),
    'ratio-pair': () => listPairs(from, to, race, epoch),
  } as const satisfies Record<CrossPart, () => Statement<XY>>
  const row = (await sql.all(queries[part]())).reduce(putIn, emptyCross)
  return { ...row, peakX: row.m2X, peakY: row.m2Y }
}

/** A row of the table. */
export interface CrossColumns extends CrossKey {
  readonly count: number
  readonly mean_x: number
  readonly mean_y: number
  readonly m2_x: number
  readonly m2_y: number
  readonly xy: number
  readonly peak_x: number
  readonly peak_y: number
  readonly labels: number
  readonly events: number
  readonly far: number
}

/** The moments of a row of the table. */
export function toRow({ count, labels, events, far, xy, ...row }: CrossColumns): CrossRow {
  const { mean_x: meanX, mean_y: meanY, m2_x: m2X, m2_y: m2Y, peak_x: peakX, peak_y: peakY } = row
  return { count, meanX, meanY, m2X, m2Y, xy, peakX, peakY, labels, events, far }
}

function toColumns(key: CrossKey, { count, labels, events, far, xy, ...row }: CrossRow): CrossColumns {
  const { meanX, meanY, m2X, m2Y, peakX, peakY } = row
  const means = { mean_x: meanX, mean_y: meanY }
  return { ...key, count, ...means, m2_x: m2X, m2_y: m2Y, xy, peak_x: peakX, peak_y: peakY, labels, events, far }
}

function toId({ race, epoch, part, variant, day }: CrossKey): string {
  return `${race} ${epoch} ${part} ${variant} ${day}`
}

const KEY = { race: 'integer', epoch: 'integer', part: 'text', variant: 'integer', day: 'integer' } as const
const NAMES = Object.keys(KEY)
const COLUMNS = {
  ...KEY,
  ...({ count: 'integer', mean_x: 'real', mean_y: 'real', m2_x: 'real', m2_y: 'real' } as const),
  ...({ xy: 'real', peak_x: 'real', peak_y: 'real' } as const),
  ...({ labels: 'integer', events: 'integer', far: 'real' } as const),
}

const findCross = bulk<typeof KEY, CrossColumns>(
  KEY,
  from => `select g.* from ${from} join cross_sum g on ${NAMES.map(name => `g.${name} = input.${name}`).join(' and ')}`,
)
const putCross = bulkInsert('cross_sum', COLUMNS, orReplace(NAMES, Object.keys(COLUMNS)))
const dropCross = bulkDelete('cross_sum', KEY)

const listClusters = statement<[number, number, number], XY>(
  `select weight + weight_rest as x, sum + rest as y, count as labels from cluster
    where race = ? and epoch = ? and variant = ?`,
)
const listDrawn = (x: 'weight' | 'covariate') =>
  statement<[string, string, number, number], XY>(
    `select p.${x} as x, p.loss as y, 1 as labels
      from prediction p join answer a on a.request = p.request and a.variant = p.variant
      where p.request >= ? and p.request < ? and p.state = ${STATE.counted} and p.${x} is not null
        and a.epoch = ? and a.variant = ? and a.served = 1 and a.pinned = 0`,
  )
const listRatios = listDrawn('weight')
const listCovariates = listDrawn('covariate')
const listPairs = statement<[string, string, number, number], XY>(
  `select pa.weight as x, pa.loss - pb.loss as y, 1 as labels from race
      join prediction pa on pa.variant = race.a and pa.state = ${STATE.counted}
      join prediction pb on pb.request = pa.request and pb.row = pa.row and pb.variant = race.b
        and pb.state = ${STATE.counted}
      join answer a on a.request = pa.request and a.variant = pa.variant
      join answer b on b.request = pb.request and b.variant = pb.variant and b.epoch = a.epoch
    where pa.request >= ? and pa.request < ? and race.id = ? and a.epoch = ? and pa.weight is not null`,
)
