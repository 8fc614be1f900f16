import { bulkInsert, orAdd, type Sql, statement } from '../sql.ts'

/** Figures that single rows do not tell any more once they are pruned. `…-before` are instants. */
export type Counter =
  | 'served'
  | 'pruned-before'
  | 'ripened-before'
  | `truth-${'new' | 'duplicate' | 'revised' | 'stale' | 'conflict' | 'orphan'}`

/** Adds to counters. */
export async function count(sql: Sql, by: Readonly<Partial<Record<Counter, number>>>): Promise<void> {
  const changed = Object.entries(by).filter(([, value]) => value !== 0)
  await sql.bulk(
    add,
    changed.map(([name, value]) => ({ name, value })),
  )
}

/** Raises a counter to at least a value. */
export async function raise(sql: Sql, name: Counter, value: number): Promise<void> {
  await sql.run(raiseTo(name, value))
}

/** A counter; 0 where nothing was counted. */
export async function readCounter(sql: Sql, name: Counter): Promise<number> {
  return (await sql.get(find(name)))?.value ?? 0
}

/** All counters that something was counted by. */
export async function readCounters(sql: Sql): Promise<Readonly<Partial<Record<Counter, number>>>> {
  return Object.fromEntries((await sql.all(list())).map(({ name, value }) => [name, value]))
}

const COLUMNS = { name: 'text', value: 'integer' } as const
const add = bulkInsert('counter', COLUMNS, orAdd('counter', ['name'], Object.keys(COLUMNS)))
const raiseTo = statement<[Counter, number]>(
  `insert into counter (name, value) values (?, ?) on conflict (name) do update
    set value = case when excluded.value > counter.value then excluded.value else counter.value end`,
)
const find = statement<[Counter], { readonly value: number }>('select value from counter where name = ?')
const list = statement<[], { readonly name: Counter; readonly value: number }>('select name, value from counter')
