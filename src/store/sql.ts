import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Schema } from './schema/schema.ts'

/** A value that a database takes and gives back. */
export type SqlValue = string | number | null

/** A query with its parameters; `row` is what it gives back. Kysely's `compile()` makes one, and so does `statement`. */
export type Query<row> = CompiledQuery<row> | Statement<row>

/** A query as text with its parameters. */
export interface Statement<row> {
  readonly sql: string
  readonly parameters: readonly SqlValue[]
  /** Never there: ties the type of the rows to the query. */
  readonly rows?: row
}

/** What a column of input rows holds. */
export type InputType = 'uuid' | 'text' | 'integer' | 'real'
/** The columns by name. */
export type InputTypes = Readonly<Record<string, InputType>>

/** A query over many input rows at once. */
export interface Bulk<types extends InputTypes, row> {
  readonly types: types
  /** The query's text; its argument is what stands after `from`: a table `input` with the columns of `types`. */
  readonly toSql: (from: string) => string
  /** The same for one row, with `?1`, `?2`, … in the order of `types`, where SQLite is faster so. */
  readonly one?: string
  /** The table, with its columns, that rows which are all new go into. */
  readonly into?: string
  /** Whether it gives rows back. */
  readonly gives: boolean
  /** Never there: ties the type of the rows to the query. */
  readonly rows?: row
}

/** One input row of a bulk query. */
export type InputRow<types extends InputTypes> = {
  readonly [column in keyof types]: (types[column] extends 'uuid' | 'text' ? string : number) | null
}

/**
 * A connection inside a transaction: what the rest of the room works with. What it is asked is done in that order, one
 * after the other; a piece of work awaits each call before the next, or several together that read.
 */
export interface Sql {
  /** Builds queries that are typed by the schema, for this database. */
  readonly build: Builder
  all<row>(query: Query<row>): Promise<readonly row[]>
  /** The first row; undefined where there is none. */
  get<row>(query: Query<row>): Promise<row | undefined>
  /** Returns the number of rows that were changed. */
  run(query: Query<unknown>): Promise<number>
  /**
   * Runs a query over input rows, of any number: PostgreSQL takes them all in one call, SQLite, which is in the same
   * process, in one for each. Writes must name each row of a table once; PostgreSQL is not waited for: where it
   * refuses one, the transaction fails.
   */
  bulk<types extends InputTypes, row>(
    query: Bulk<types, row>,
    input: readonly InputRow<types>[],
  ): Promise<readonly row[]>
}

/** A query as text, for what runs often: `?` are its parameters, in order. */
export function statement<parameters extends readonly SqlValue[], row = never>(sql: string) {
  return (...values: parameters): Statement<row> => ({ sql, parameters: values })
}

/** A query over many input rows. */
export function bulk<types extends InputTypes, row = never>(
  types: types,
  toSql: (from: string) => string,
): Bulk<types, row> {
  return { types, toSql, gives: true }
}

/** A change for each of many input rows. */
export function bulkWrite<types extends InputTypes>(types: types, toSql: (from: string) => string): Bulk<types, never> {
  return { types, toSql, gives: false }
}

/** An insert of input rows into the columns of the same names; `conflict` says what happens to known keys, if any. */
export function bulkInsert<types extends InputTypes>(table: string, types: types, conflict = ''): Bulk<types, never> {
  const names = Object.keys(types)
  const into = `${table} (${names.join(', ')})`
  return {
    types,
    // Without "where", SQLite would take "on conflict" for the condition of a join.
    toSql: from => `insert into ${into} select ${names.join(', ')} from ${from} where true ${conflict}`,
    gives: false,
    one: `insert into ${into} values (${names.map((_, at) => `?${at + 1}`).join(', ')}) ${conflict}`,
    ...(conflict === '' && { into }),
  }
}

/** An update of the rows with the key of an input row: every other column gets its value. */
export function bulkUpdate<types extends InputTypes>(table: string, key: readonly string[], types: types) {
  const names = Object.keys(types)
  const sets = names.filter(name => !key.includes(name))
  const at = (name: string): string => `?${names.indexOf(name) + 1}`
  const list = (of: readonly string[], toText: (name: string) => string, by: string) => of.map(toText).join(by)
  const set = (to: (name: string) => string): string => list(sets, name => `${name} = ${to(name)}`, ', ')
  const where = (to: (name: string) => string): string => list(key, name => `${table}.${name} = ${to(name)}`, ' and ')
  const query: Bulk<types, never> = {
    types,
    toSql: from =>
      `update ${table} set ${set(name => `input.${name}`)} from ${from} where ${where(name => `input.${name}`)}`,
    gives: false,
    one: `update ${table} set ${set(at)} where ${where(at)}`,
  }
  return query
}

/** A deletion of the rows whose key columns are those of an input row. */
export function bulkDelete<types extends InputTypes>(table: string, types: types): Bulk<types, never> {
  const names = Object.keys(types).join(', ')
  return bulkWrite(types, from => `delete from ${table} where (${names}) in (select ${names} from ${from})`)
}

/** The end of an insert that adds its numbers to those of the row with the same key. */
export function orAdd(table: string, key: readonly string[], columns: readonly string[]): string {
  const sums = columns
    .filter(column => !key.includes(column))
    .map(name => `${name} = ${table}.${name} + excluded.${name}`)
  return `on conflict (${key.join(', ')}) do update set ${sums.join(', ')}`
}

/** The end of an insert that puts its row in the place of the one with the same key. */
export function orReplace(key: readonly string[], columns: readonly string[]): string {
  const sets = columns.filter(column => !key.includes(column)).map(column => `${column} = excluded.${column}`)
  return `on conflict (${key.join(', ')}) do update set ${sets.join(', ')}`
}

/** Compiles queries: they run on `Sql`, so that one transaction holds all that a piece of work does. */
export type Builder = Kysely<Schema>

/** Builds queries for SQLite. */
export const sqliteBuilder: Builder = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: db => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

/** Builds queries for PostgreSQL. */
export const postgresBuilder: Builder = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: db => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})
