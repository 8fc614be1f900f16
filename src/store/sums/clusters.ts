import type { LossTerms } from '../../judge/index.ts'
import { bulk, bulkDelete, bulkInsert, orReplace, type Sql } from '../sql.ts'
import { type Change, Changes } from './changes.ts'
import type { CrossLedger, XY } from './cross-ledger.ts'

/** Labels of one entity, and the sums of their losses and of their weights. */
export interface Cluster {
  readonly count: number
  readonly loss: LongSum
  readonly weight: LongSum
}

/** A number of twice a double's digits: the second part is what the first cannot hold. */
interface LongSum {
  readonly high: number
  readonly rest: number
}

/** Whose labels they are; those of pairs have epoch and variant 0. */
export interface ClusterKey {
  readonly race: number
  readonly epoch: number
  readonly variant: number
  readonly entity: string
}

/** Gathers the changes of one transaction to the sums of entities. */
export class Clusters {
  readonly #changes = new Changes<ClusterKey, LossTerms>(toId)

  /** The change of a key. */
  of(key: ClusterKey): Change<ClusterKey, LossTerms> {
    return this.#changes.of(key)
  }

  /** Writes what was gathered, and tells the ledger of it. */
  async flush(sql: Sql, ledger: CrossLedger): Promise<void> {
    const changes = this.#changes.take()
    const keys = changes.map(({ key }) => key)
    const known = new Map((await sql.bulk(findClusters, keys)).map(row => [toId(row), toCluster(row)]))
    const rows = changes.map(({ key, added, removed }) => {
      const before = known.get(toId(key)) ?? NO_CLUSTER
      const after = removed.reduce(
        (cluster, label) => addLabel(cluster, label, -1),
        added.reduce((cluster, label) => addLabel(cluster, label, 1), before),
      )
      ledger.turn(key, before, after)
      return { ...key, ...toColumns(after) }
    })
    await sql.bulk(
      putClusters,
      rows.filter(({ count }) => count > 0),
    )
    await sql.bulk(
      dropClusters,
      rows.filter(({ count }) => count === 0),
    )
  }
}

const ZERO: LongSum = { high: 0, rest: 0 }
const NO_CLUSTER: Cluster = { count: 0, loss: ZERO, weight: ZERO }

/** What an entity is in the sums over entities. */
export function toClusterTerms({ count, loss, weight }: Cluster): XY {
  return { x: weight.high + weight.rest, y: loss.high + loss.rest, labels: count }
}

function addLabel({ count, loss, weight }: Cluster, label: LossTerms, by: 1 | -1): Cluster {
  return { count: count + by, loss: addTo(loss, by * label.loss), weight: addTo(weight, by * label.weight) }
}

/**
 * Adds to a sum of twice a double's digits, so that what was added can be taken out again.
 * Source: Knuth, The Art of Computer Programming 2, section 4.2.2, theorem B (the error of a sum is a double).
 */
function addTo(sum: LongSum, x: number): LongSum {
  const total = sum.high + x
  const part = total - sum.high
  const low = sum.rest + (sum.high - (total - part) + (x - part))
  const high = total + low
  return { high, rest: low - (high - total) }
}

interface ClusterRow extends ClusterKey {
  readonly count: number
  readonly sum: number
  readonly rest: number
  readonly weight: number
  readonly weight_rest: number
}

function toCluster({ count, sum, rest, weight, weight_rest }: ClusterRow): Cluster {
  return { count, loss: { high: sum, rest }, weight: { high: weight, rest: weight_rest } }
}

function toColumns({ count, loss, weight }: Cluster): Omit<ClusterRow, keyof ClusterKey> {
  return { count, sum: loss.high, rest: loss.rest, weight: weight.high, weight_rest: weight.rest }
}

function toId({ race, epoch, variant, entity }: ClusterKey): string {
  return `${race} ${epoch} ${variant} ${entity}`
}

const KEY = { race: 'integer', epoch: 'integer', variant: 'integer', entity: 'text' } as const
const NAMES = Object.keys(KEY)
const COLUMNS = {
  ...KEY,
  ...({ count: 'integer', sum: 'real', rest: 'real', weight: 'real', weight_rest: 'real' } as const),
} as const

const findClusters = bulk<typeof KEY, ClusterRow>(
  KEY,
  from => `select g.* from ${from} join cluster g on ${NAMES.map(name => `g.${name} = input.${name}`).join(' and ')}`,
)
const putClusters = bulkInsert('cluster', COLUMNS, orReplace(NAMES, Object.keys(COLUMNS)))
const dropClusters = bulkDelete('cluster', KEY)
