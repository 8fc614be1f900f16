import { type Sql, statement } from './sql.ts'

/** Figures that single rows do not tell any more once they are pruned. `pruned-before` is an instant. */
export type Counter =
  | 'served'
  | 'pruned-before'
  | `truth-${'new' | 'duplicate' | 'revised' | 'stale' | 'conflict' | 'orphan'}`

/** Adds to a counter. */
export function count(sql: Sql, name: Counter, by: number): void {
  if (by !== 0) sql.run(add(name, by))
}

/** Raises a counter to at least a value. */
export function raise(sql: Sql, name: Counter, value: number): void {
  sql.run(raiseTo(name, value))
}

/** A counter; 0 where nothing was counted. */
export function readCounter(sql: Sql, name: Counter): number {
  return sql.get(find(name))?.value ?? 0
}

const add = statement<[Counter, number]>(
  'insert into counter (name, value) values (?, ?) on conflict do update set value = value + excluded.value',
)
const raiseTo = statement<[Counter, number]>(
  'insert into counter (name, value) values (?, ?) on conflict do update set value = max(value, excluded.value)',
)
const find = statement<[Counter], { readonly value: number }>('select value from counter where name = ?')
