import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../core/clock.ts'
import { corrupt, isBusy, newer, toStoreError } from './errors.ts'
import { APPLICATION_ID, migrate, SCHEMA_VERSION } from './migrations.ts'
import type { Query, Sql } from './sql.ts'

/** How long a call waits for another process's transaction, ms. */
const BUSY_LIMIT_MS = 10_000
/** How long SQLite itself waits, blocking the process, ms. */
const BUSY_BLOCK_MS = 50

/**
 * One connection to a database file. A transaction is synchronous work, so that calls of one process cannot mix;
 * another process's transaction is waited for. WAL lets readers go on while somebody writes.
 *
 * A killed process loses nothing that was committed; a power cut may lose the last moments, and harms nothing else
 * (`synchronous = normal`, sqlite.org/wal.html section 2.3).
 */
export class SqliteFile implements AsyncDisposable {
  readonly #path: string
  readonly #clock: Clock
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #sql: Sql

  private constructor(path: string, clock: Clock) {
    this.#path = path
    this.#clock = clock
    this.#database = new DatabaseSync(path, { timeout: BUSY_BLOCK_MS })
    this.#sql = {
      all: query => this.#all(query),
      get: query => this.#all(query)[0],
      run: query => {
        const { changes, lastInsertRowid } = this.#prepare(query.sql).run(...toValues(query))
        return { changes: Number(changes), id: Number(lastInsertRowid) }
      },
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

  /** Runs work that only reads, on one snapshot. */
  async read<result>(work: (sql: Sql) => result): Promise<result> {
    return await this.#transact('BEGIN', work)
  }

  /** Runs work that writes: all of it is stored, or nothing. */
  async write<result>(work: (sql: Sql) => result): Promise<result> {
    return await this.#transact('BEGIN IMMEDIATE', work)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#statements.clear()
    if (this.#database.isOpen) this.#database.close()
  }

  async #prepareFile(): Promise<void> {
    // Looked at before anything is written: a file of somebody else stays as it is.
    const found = await this.#unlessBusy(() => this.#readVersion())
    await this.#unlessBusy(() => this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL'))
    if (found < SCHEMA_VERSION) {
      // Two processes may have found the old version: the second finds nothing to do.
      await this.write(sql => migrate(sql, this.#readVersion()))
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
    // STRICT tables hold the types that the schema declares.
    return this.#prepare(query.sql).all(...toValues(query)) as unknown[] as row[]
  }

  /** The room has a fixed set of queries, so that the statements stay few. */
  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const made = this.#database.prepare(sql)
    this.#statements.set(sql, made)
    return made
  }

  async #transact<result>(begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: (sql: Sql) => result): Promise<result> {
    try {
      return await this.#unlessBusy(() => {
        this.#database.exec(begin)
        const done = work(this.#sql)
        this.#database.exec('COMMIT')
        return done
      })
    } catch (error) {
      throw toStoreError(error, this.#path)
    }
  }

  /** Does something at once, and again while another process is in the way; a failed transaction is rolled back. */
  async #unlessBusy<result>(act: () => result): Promise<result> {
    const deadline = this.#clock() + BUSY_LIMIT_MS
    for (;;) {
      try {
        return act()
      } catch (error) {
        if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK')
        if (!isBusy(error) || this.#clock() > deadline) throw error
      }
      await sleep(10)
    }
  }
}

function toValues({ parameters }: Query<unknown>): SQLInputValue[] {
  return parameters.map(value => {
    if (value === null || typeof value === 'string' || typeof value === 'number') return value
    throw new Error(`A query has a parameter of type ${typeof value}`)
  })
}
