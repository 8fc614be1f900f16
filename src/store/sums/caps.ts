import { addToCap, CAP_LABELS, emptyCap } from '../../judge/index.ts'
import type { StoredRace } from '../facts/race.ts'
import type { Subject } from '../settled.ts'
import { bulkDelete, bulkInsert, type Sql, statement } from '../sql.ts'

/** The cap of a race's losses as one transaction finds it, and leaves it. */
interface Held {
  readonly quantile: number
  /** Undefined while the first labels set it. */
  cap: number | undefined
  /** Their sizes, by row. */
  readonly sizes: Map<string, number>
  readonly changes: Map<string, Subject & { readonly loss: number | null }>
}

/**
 * The caps of races within one transaction. The champion's first labels set the cap, and no label of a row that came
 * before it is set ever counts. Races side by side have one cap, for they share the champion's losses.
 */
export class Caps {
  readonly #held = new Map<number, Held>()

  /** Reads the caps of races that have one and were not read yet. */
  async read(sql: Sql, races: Iterable<StoredRace>): Promise<void> {
    for (const { id, spec } of races) {
      if (spec.cap === undefined || this.#held.has(id)) continue
      const cap = (await sql.get(findCap(id)))?.cap ?? undefined
      const rows = cap === undefined ? await sql.all(listCalibration(id)) : []
      const sizes = new Map(rows.map(({ request, row, loss }) => [`${request}/${row}`, loss]))
      this.#held.set(id, { quantile: spec.cap, cap, sizes, changes: new Map() })
    }
  }

  /** The cap of a race: `open` while it is being set, undefined where the race has none. */
  of(race: number): number | 'open' | undefined {
    const held = this.#held.get(race)
    return held && (held.cap ?? 'open')
  }

  /** Takes what the champion lost on a row, null where that is not known any more, as one of those that set the cap. */
  calibrate(race: number, { request, row }: Subject, loss: number | null): void {
    const held = this.#held.get(race)
    const key = `${request}/${row}`
    if (held === undefined || held.cap !== undefined || (held.sizes.get(key) ?? null) === loss) return
    if (loss === null) held.sizes.delete(key)
    else held.sizes.set(key, loss)
    held.changes.set(key, { request, row, loss })
    if (held.sizes.size < CAP_LABELS) return
    const { cap } = [...held.sizes.values()].reduce(addToCap, emptyCap(held.quantile))
    for (const one of this.#held.values()) one.cap ??= cap
  }

  /** Writes what has changed. */
  async flush(sql: Sql): Promise<void> {
    for (const [race, { cap, changes }] of this.#held) {
      if (changes.size === 0) continue
      if (cap !== undefined) {
        await sql.run(setCap(cap, race))
        await sql.run(dropCalibration(race))
      } else await writeChanges(sql, race, [...changes.values()])
      changes.clear()
    }
  }
}

async function writeChanges(sql: Sql, race: number, changes: readonly (Subject & { loss: number | null })[]) {
  await sql.bulk(
    dropLabels,
    changes.map(({ request, row }) => ({ race, request, row })),
  )
  await sql.bulk(
    putLabels,
    changes.filter(({ loss }) => loss !== null).map(change => ({ race, ...change })),
  )
}

/** How far the cap of a race is. */
export async function readCap(sql: Sql, race: number): Promise<{ at: number | undefined; labels: number }> {
  const [at, labels] = [(await sql.get(findCap(race)))?.cap, (await sql.get(countCalibration(race)))?.n]
  return { at: at ?? undefined, labels: labels ?? 0 }
}

/** A race that starts beside others has their cap. */
export async function shareCap(sql: Sql, race: number): Promise<void> {
  await sql.run(copyCap(race))
}

const KEY = { race: 'integer', request: 'text', row: 'integer' } as const
const putLabels = bulkInsert('calibration', { ...KEY, loss: 'real' } as const)
const dropLabels = bulkDelete('calibration', KEY)
const findCap = statement<[number], { readonly cap: number | null }>('select cap from race where id = ?')
const setCap = statement<[number, number]>('update race set cap = ? where cap is null and (ended_at is null or id = ?)')
const copyCap = statement<[number]>(
  `update race set cap = (select max(o.cap) from race o where o.ended_at is null and o.cap is not null)
    where id = ? and cap is null`,
)
const listCalibration = statement<[number], Subject & { readonly loss: number }>(
  'select request, row, loss from calibration where race = ?',
)
const countCalibration = statement<[number], { readonly n: number }>(
  'select count(*) as n from calibration where race = ?',
)
const dropCalibration = statement<[number]>('delete from calibration where race = ?')
