import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../core/clock.ts'
import type { Database, Work } from '../database.ts'
import { corrupt, isBusy, newer, toStoreError } from '../errors.ts'
import { APPLICATION_ID, migrateSqlite, SCHEMA_VERSION } from '../schema/migrations.ts'
import {
  type Bulk,
  type InputRow,
  type InputTypes,
  type Query,
  type Sql,
  type SqlValue,
  sqliteBuilder,
} from '../sql.ts'

/** How long a call waits for another process's transaction, ms. */
const BUSY_LIMIT_MS = 10_000
/** How long SQLite itself waits, blocking the process, ms. */
const BUSY_BLOCK_MS = 50

/** Pages go from the log to the file when 16 MB are there: those of sums change with each batch. */
const SETTINGS = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000'

/**
 * One connection to a database file. Pieces of work follow one after the other, so that those of one process cannot
 * mix; another process's transaction is waited for. WAL lets readers go on while somebody writes.
 *
 * A killed process loses nothing that was committed; a power cut may lose the last moments, and harms nothing else
 * (`synchronous = normal`, sqlite.org/wal.html section 2.3).
 */
export class SqliteFile implements Database {
  readonly #path: string
  readonly #clock: Clock
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, Prepared>()
  readonly #bulks = new Map<Bulk<InputTypes, unknown>, PreparedBulk>()
  readonly #sql: Sql
  #last: Promise<unknown> = Promise.resolve()

  private constructor(path: string, clock: Clock) {
    this.#path = path
    this.#clock = clock
    this.#database = new DatabaseSync(path, { timeout: BUSY_BLOCK_MS })
    this.#sql = {
      build: sqliteBuilder,
      all: async query => this.#all(query),
      get: async query => this.#all(query)[0],
      run: async query => Number(this.#prepare(query.sql).statement.run(...toValues(query)).changes),
      bulk: async (query, input) => this.#bulk(query, input),
    }
  }

  /** Opens or makes the file and brings its schema up to date. @throws STORE_NEWER, STORE_CORRUPT, STORE_OPEN, STORE_FULL, STORE_BUSY */
  static async open(path: string, clock: Clock): Promise<SqliteFile> {
    let file: SqliteFile | undefined
    try {
      await mkdir(dirname(path), { recursive: true })
      file = new SqliteFile(path, clock)
      await file.#prepareFile()
      return file
    } catch (error) {
      await file?.[Symbol.asyncDispose]()
      throw toStoreError(error, path)
    }
  }

  async read<result>(work: Work<result>): Promise<result> {
    return await this.#transact('BEGIN', work)
  }

  async write<result>(work: Work<result>): Promise<result> {
    return await this.#transact('BEGIN IMMEDIATE', work)
  }

  /** Nothing: a file has no parts that could go at once. */
  async dropBefore(): Promise<number> {
    return 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last.catch(() => {})
    this.#statements.clear()
    this.#bulks.clear()
    if (this.#database.isOpen) this.#database.close()
  }

  async #prepareFile(): Promise<void> {
    // Looked at before anything is written: a file of somebody else stays as it is.
    const found = await this.#unlessBusy(async () => this.#readVersion())
    await this.#unlessBusy(async () => this.#database.exec(SETTINGS))
    if (found < SCHEMA_VERSION) {
      // Two processes may have found the old version: the second finds nothing to do.
      await this.write(sql => migrateSqlite(sql, this.#readVersion()))
    }
  }

  #readVersion(): number {
    const version = this.#readPragma('user_version')
    const application = this.#readPragma('application_id')
    const tables = this.#all<{ n: number }>({ sql: 'select count(*) as n from sqlite_schema', parameters: [] })[0]?.n
    if (application !== APPLICATION_ID && (tables !== 0 || version !== 0)) {
      throw corrupt(this.#path, "it is another program's")
    }
    if (version > SCHEMA_VERSION) throw newer(this.#path, version, SCHEMA_VERSION)
    return version
  }

  #readPragma(name: 'user_version' | 'application_id'): number {
    return Number(this.#database.prepare(`PRAGMA ${name}`).get()?.[name])
  }

  #all<row>(query: Query<row>): readonly row[] {
    const { empty, statement } = this.#prepare(query.sql)
    return statement.all(...toValues(query)).map(values => toRow<row>(empty, values))
  }

  #bulk<types extends InputTypes, row>(query: Bulk<types, row>, input: readonly InputRow<types>[]): readonly row[] {
    const { columns, empty, statement } = this.#prepareBulk(query)
    const found: row[] = []
    const values: SqlValue[] = columns.map(() => null)
    for (const row of input) {
      for (let at = 0; at < columns.length; at++) values[at] = row[columns[at] ?? ''] ?? null
      if (!query.gives) statement.run(...values)
      else for (const one of statement.all(...values)) found.push(toRow<row>(empty, one))
    }
    return found
  }

  #prepareBulk(query: Bulk<InputTypes, unknown>): PreparedBulk {
    const known = this.#bulks.get(query)
    if (known !== undefined) return known
    const columns = Object.keys(query.types)
    const input = `(select ${columns.map(name => `? as ${name}`).join(', ')}) as input`
    const made = { columns, ...this.#prepare(query.one ?? query.toSql(input)) }
    this.#bulks.set(query, made)
    return made
  }

  /** The room has a fixed set of queries, so that the statements stay few. */
  #prepare(sql: string): Prepared {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    // The objects that node:sqlite makes of rows take four times as long to make, and are slower to read.
    statement.setReturnArrays(true)
    const made = { statement, empty: Object.fromEntries(statement.columns().map(({ name }) => [name, null])) }
    this.#statements.set(sql, made)
    return made
  }

  async #transact<result>(begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: Work<result>): Promise<result> {
    const deadline = this.#clock() + BUSY_LIMIT_MS
    const turn = this.#last.then(() =>
      this.#unlessBusy(async () => {
        this.#database.exec(begin)
        const done = await work(this.#sql)
        this.#database.exec('COMMIT')
        return done
      }, deadline),
    )
    this.#last = turn.catch(() => {})
    try {
      return await turn
    } catch (error) {
      throw toStoreError(error, this.#path)
    }
  }

  /** Does something at once, and again while another process is in the way; a failed transaction is rolled back. */
  async #unlessBusy<result>(act: () => Promise<result>, deadline = this.#clock() + BUSY_LIMIT_MS): Promise<result> {
    for (;;) {
      try {
        return await act()
      } catch (error) {
        if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK')
        if (!isBusy(error) || this.#clock() > deadline) throw error
      }
      await sleep(10)
    }
  }
}

interface Prepared {
  /** Gives rows as arrays. */
  readonly statement: StatementSync
  /** A row without values. */
  readonly empty: Row
}

interface PreparedBulk extends Prepared {
  /** The columns of its input. */
  readonly columns: readonly string[]
}

type Row = Readonly<Record<string, unknown>>

/** STRICT tables hold the types that the schema declares. A copy of one object is made faster than one of names. */
function toRow<row>(empty: Row, values: unknown): row {
  if (!Array.isArray(values)) throw new Error('A statement gave a row that is no array')
  const row: Record<string, unknown> = { ...empty }
  let at = 0
  for (const name in row) row[name] = values[at++]
  return row as row
}

function toValues({ parameters }: Query<unknown>): SQLInputValue[] {
  return parameters.map(value => {
    if (value === null || typeof value === 'string' || typeof value === 'number') return value
    throw new Error(`A query has a parameter of type ${typeof value}`)
  })
}
