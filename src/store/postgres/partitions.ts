import { type Sql, statement } from '../sql.ts'
import { toDayRange } from '../sums/days.ts'

/** The tables that PostgreSQL keeps in a part for each day of requests. */
export const PARTITIONED = ['answer', 'prediction', 'truth'] as const

/**
 * A prediction is changed once, when its truth comes. With room in its page that takes no other page and no entry of
 * an index (postgresql.org/docs/current/storage-hot.html).
 */
const ROOM = { answer: '', prediction: 'with (fillfactor = 50)', truth: '' } as const satisfies Record<
  (typeof PARTITIONED)[number],
  string
>

/** Days from the current one on that have a part before their first request comes. */
const DAYS_AHEAD = 3

/**
 * Makes the parts of a day, of the one before it, whose requests may still come, and of the next ones. Requests of
 * other days go into the default part. So does a day whose first requests went there, by a clock that is days off.
 */
export async function addPartitions(sql: Sql, today: number): Promise<void> {
  for (let day = today - 1; day <= today + DAYS_AHEAD; day++) {
    const { from, to } = toDayRange(day)
    for (const table of PARTITIONED) {
      const name = toPartName(table, day)
      if ((await sql.get(findPart(name))) !== undefined) continue
      if ((await sql.get(findStray(table)(from, to))) !== undefined) continue
      const bounds = `from ('${from}') to ('${to}')`
      await sql.run(statement<[]>(`create table ${name} partition of ${table} for values ${bounds} ${ROOM[table]}`)())
    }
  }
}

/** Drops the parts whose requests all come before one; returns the rows that they held. */
export async function dropPartitions(sql: Sql, before: string): Promise<number> {
  let rows = 0
  for (const { name } of await sql.all(listParts())) {
    const day = Number(/_d(\d+)$/.exec(name)?.[1] ?? Number.NaN)
    if (!(toDayRange(day).to <= before)) continue
    rows += (await sql.get(statement<[], { readonly n: number }>(`select count(*) as n from ${name}`)()))?.n ?? 0
    await sql.run(statement<[]>(`drop table ${name}`)())
  }
  return rows
}

function toPartName(table: string, day: number): string {
  return `${table}_d${day}`
}

const findPart = statement<[string], { readonly name: string }>(
  "select relname as name from pg_class where relname = ? and relnamespace = 'regatta'::regnamespace",
)
const findStray = (table: string) =>
  statement<[string, string], { readonly request: string }>(
    `select request from ${table}_other where request >= ? and request < ? limit 1`,
  )
const listParts = statement<[], { readonly name: string }>(
  `select c.relname as name from pg_class c
    where c.relnamespace = 'regatta'::regnamespace and c.relispartition and c.relkind = 'r' and c.relname ~ '_d[0-9]+$'
    order by c.relname`,
)
