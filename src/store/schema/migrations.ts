import { toBodyTables } from '../bodies.ts'
import { toChangeTables } from '../deployment-changes.ts'
import { POSTGRES_DRAWN_ENDS, POSTGRES_ENDS, POSTGRES_RACES, POSTGRES_TABLES } from '../postgres/tables.ts'
import { type Sql, statement } from '../sql.ts'
import { SQLITE_MIGRATIONS } from '../sqlite/migrations.ts'
import { toJudgingTables } from './judging-tables.ts'

/** Marks a file as a database of regatta ("rgta"; `PRAGMA application_id`). */
export const APPLICATION_ID = 0x72677461
/** The schema of PostgreSQL that holds everything of regatta. */
export const POSTGRES_SCHEMA = 'regatta'

/**
 * The steps from one version of the schema to the next, the same versions for both databases. A step that was ever
 * released is never changed. PostgreSQL begins at version 3.
 */
const POSTGRES_MIGRATIONS: readonly (readonly string[])[] = [
  ...[[], [], POSTGRES_TABLES, POSTGRES_RACES, POSTGRES_ENDS],
  toJudgingTables({ integer: 'bigint', real: 'double precision', end: '' }),
  toBodyTables({ uuid: 'uuid', integer: 'bigint', end: '' }),
  POSTGRES_DRAWN_ENDS,
  toChangeTables({ integer: 'bigint', end: '' }),
]

/** The version that this regatta writes. */
export const SCHEMA_VERSION = SQLITE_MIGRATIONS.length

/** Brings a file of an older version (0: an empty one) to the newest. */
export async function migrateSqlite(sql: Sql, from: number): Promise<void> {
  await runAll(sql, SQLITE_MIGRATIONS.slice(from).flat())
  await runAll(sql, [`pragma application_id = ${APPLICATION_ID}`, `pragma user_version = ${SCHEMA_VERSION}`])
}

/** Brings a PostgreSQL database of an older version (0: one without regatta's schema) to the newest. */
export async function migratePostgres(sql: Sql, from: number): Promise<void> {
  if (from >= SCHEMA_VERSION) return
  // What is there may be much.
  await sql.run(statement<[]>('set local statement_timeout = 0')())
  if (from === 0) {
    await runAll(sql, [`create schema ${POSTGRES_SCHEMA}`, 'create table schema_version (version bigint not null)'])
    await sql.run(insertVersion(0))
  }
  await runAll(sql, POSTGRES_MIGRATIONS.slice(from).flat())
  await sql.run(setVersion(SCHEMA_VERSION))
}

/** The version of a PostgreSQL database; 0 for one without regatta's schema. */
export async function readPostgresVersion(sql: Sql): Promise<number> {
  const known = await sql.get(findTable(POSTGRES_SCHEMA, 'schema_version'))
  return known === undefined ? 0 : ((await sql.get(findVersion()))?.version ?? 0)
}

/** The deployment whose events a PostgreSQL database holds; undefined before the first. */
export async function readOwner(sql: Sql): Promise<string | undefined> {
  return (await sql.get(findOwner()))?.deployment ?? undefined
}

/** Makes a PostgreSQL database that of a deployment, unless it is another's; says whose it is. */
export async function claim(sql: Sql, deployment: string): Promise<string> {
  await sql.run(setOwner(deployment))
  return (await readOwner(sql)) ?? deployment
}

async function runAll(sql: Sql, texts: readonly string[]): Promise<void> {
  for (const text of texts) await sql.run(statement<[]>(text)())
}

// Not `to_regclass`: it may not know yet what another process made while this one waited for its turn.
const findTable = statement<[string, string], { readonly name: string }>(
  `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ? and c.relname = ?`,
)
const findVersion = statement<[], { readonly version: number }>('select version from schema_version')
const insertVersion = statement<[number]>('insert into schema_version values (?)')
const setVersion = statement<[number]>('update schema_version set version = ?')
const findOwner = statement<[], { readonly deployment: string | null }>('select deployment from schema_version')
const setOwner = statement<[string]>('update schema_version set deployment = ? where deployment is null')
