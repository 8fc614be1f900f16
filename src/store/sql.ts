import { type CompiledQuery, DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import type { Schema } from './schema.ts'

/** A value that SQLite takes and gives back. */
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

/** A connection inside a transaction: what the rest of the room works with. */
export interface Sql {
  all<row>(query: Query<row>): readonly row[]
  /** The first row; undefined where there is none. */
  get<row>(query: Query<row>): row | undefined
  /** Rows that were changed, and the id of the last that was inserted. */
  run(query: Query<unknown>): { readonly changes: number; readonly id: number }
}

/** A query as text, for the paths that run once per row: `?` are its parameters, in order. */
export function statement<parameters extends readonly SqlValue[], row = never>(sql: string) {
  return (...values: parameters): Statement<row> => ({ sql, parameters: values })
}

/**
 * Builds queries that are typed by the schema. It only compiles: the queries run on `Sql`, so that a transaction is
 * one piece of synchronous work that nothing can come between.
 */
export const build = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: db => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})
