import type { CrossLedger } from './cross-ledger.ts'
import { bulk, bulkDelete, bulkInsert, orReplace, type Sql } from './sql.ts'

/** Labels of one entity, and the sum of their losses: `sum` + `rest`, of which the second is what the first cannot hold. */
export interface Cluster {
  readonly count: number
  readonly sum: number
  readonly rest: number
}

/** Whose labels they are. */
export interface ClusterKey {
  readonly race: number
  readonly epoch: number
  readonly variant: number
  readonly entity: string
}

interface Change {
  readonly key: ClusterKey
  readonly added: number[]
  readonly removed: number[]
}

/** Gathers the changes of one transaction to the sums of entities. */
export class Clusters {
  readonly #changes = new Map<string, Change>()

  /** Puts in a loss. */
  add(key: ClusterKey, loss: number): void {
    this.#change(key).added.push(loss)
  }

  /** Takes out a loss that was put in before. */
  remove(key: ClusterKey, loss: number): void {
    this.#change(key).removed.push(loss)
  }

  /** Writes what was gathered, and tells the ledger of it. */
  async flush(sql: Sql, ledger: CrossLedger): Promise<void> {
    const changes = [...this.#changes.values()]
    const keys = changes.map(({ key }) => key)
    const known = new Map((await sql.bulk(findClusters, keys)).map(row => [toId(row), row]))
    const rows = changes.map(({ key, added, removed }) => {
      const before = known.get(toId(key)) ?? NO_CLUSTER
      const after = removed.reduce(
        (sum, loss) => addLoss(sum, -loss, -1),
        added.reduce((sum, loss) => addLoss(sum, loss, 1), before),
      )
      ledger.turn(key, before, after)
      return { ...key, ...after }
    })
    await sql.bulk(
      putClusters,
      rows.filter(({ count }) => count > 0),
    )
    await sql.bulk(
      dropClusters,
      rows.filter(({ count }) => count === 0),
    )
    this.#changes.clear()
  }

  #change({ race, epoch, variant, entity }: ClusterKey): Change {
    const key = { race, epoch, variant, entity }
    const id = toId(key)
    const known = this.#changes.get(id)
    if (known !== undefined) return known
    const made = { key, added: [], removed: [] }
    this.#changes.set(id, made)
    return made
  }
}

const NO_CLUSTER: Cluster = { count: 0, sum: 0, rest: 0 }

/** What an entity lost. */
export function toClusterSum({ sum, rest }: Cluster): number {
  return sum + rest
}

/**
 * Adds to a sum of twice a double's digits, so that what was added can be taken out again.
 * Source: Knuth, The Art of Computer Programming 2, section 4.2.2, theorem B (the error of a sum is a double).
 */
function addLoss({ count, sum, rest }: Cluster, loss: number, by: 1 | -1): Cluster {
  const total = sum + loss
  const part = total - sum
  const error = sum - (total - part) + (loss - part)
  const low = rest + error
  const high = total + low
  return { count: count + by, sum: high, rest: low - (high - total) }
}

function toId({ race, epoch, variant, entity }: ClusterKey): string {
  return `${race} ${epoch} ${variant} ${entity}`
}

const KEY = { race: 'integer', epoch: 'integer', variant: 'integer', entity: 'text' } as const
const NAMES = Object.keys(KEY)
const COLUMNS = { ...KEY, count: 'integer', sum: 'real', rest: 'real' } as const

const findClusters = bulk<typeof KEY, ClusterKey & Cluster>(
  KEY,
  from => `select g.* from ${from} join cluster g on ${NAMES.map(name => `g.${name} = input.${name}`).join(' and ')}`,
)
const putClusters = bulkInsert('cluster', COLUMNS, orReplace(NAMES, Object.keys(COLUMNS)))
const dropClusters = bulkDelete('cluster', KEY)
