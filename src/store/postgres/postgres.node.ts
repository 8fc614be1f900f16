import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool, PoolConfig } from 'pg'
import type { Clock } from '../../core/clock.ts'
import type { Database, Work } from '../database.ts'
import { isContention, newer, owned, toPostgresError } from '../errors.ts'
import {
  claim,
  migratePostgres,
  POSTGRES_SCHEMA,
  readOwner,
  readPostgresVersion,
  SCHEMA_VERSION,
} from '../schema/migrations.ts'
import { toDayOf } from '../sums/days.ts'
import { addPartitions, dropPartitions } from './partitions.ts'
import { type CopyIn, PostgresSql } from './sql.ts'

/** Connections of one process: one writes at a time, the others read. */
const MAX_CONNECTIONS = 4
/** How long a call waits for a connection, and for other processes' turns to write, ms. */
const CONNECT_LIMIT_MS = 5000
const BUSY_LIMIT_MS = 10_000
/** A statement or a pause inside a transaction that takes longer ends it, so that nobody holds up the others, ms. */
const STATEMENT_LIMIT_MS = 60_000
/** How often a transaction that got in another's way is run again. */
const MAX_TRIES = 5

/** Key of the lock that a writer takes its turn with ("rgta"). */
const WRITER_LOCK = 0x72677461
const SETTINGS = `set local search_path = ${POSTGRES_SCHEMA}, pg_catalog; set local lock_timeout = ${BUSY_LIMIT_MS};
  set local statement_timeout = ${STATEMENT_LIMIT_MS};
  set local idle_in_transaction_session_timeout = ${STATEMENT_LIMIT_MS};
  set local plan_cache_mode = force_custom_plan; set local jit = off;`
/*
 * Rows are looked up by their keys. A young table has no statistics yet, and a plan that reads all of it would be
 * kept while it grows.
 */
const LOOK_UP = 'set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off'
const BEGIN_READ = `begin isolation level repeatable read read only; ${SETTINGS} ${LOOK_UP}`
const BEGIN_WRITE = `begin isolation level read committed; ${SETTINGS} ${LOOK_UP};
  select pg_advisory_xact_lock(${WRITER_LOCK})`

/** Types of PostgreSQL (pg_type.oid) that would come as text: counts and sums fit into a number. */
const NUMBERS = new Set([20, 1700])

/**
 * A PostgreSQL database, in a schema of its own (`regatta`). Writers of all processes take turns by an advisory lock,
 * so that a piece of work finds what it would in an embedded database, and none can deadlock.
 */
export class PostgresDatabase implements Database {
  readonly #where: string
  readonly #clock: Clock
  readonly #pool: Pool
  readonly #copyIn: CopyIn
  /** The last day that partitions were made for. */
  #partitionedDay = -1

  private constructor(where: string, clock: Clock, pool: Pool, copyIn: CopyIn) {
    this.#where = where
    this.#clock = clock
    this.#pool = pool
    this.#copyIn = copyIn
    // A connection that breaks while nobody uses it is replaced; who uses one is told by the query.
    pool.on('error', () => {})
  }

  /**
   * Connects, brings the schema up to date, and makes it the deployment's.
   * @throws STORE_NEWER, STORE_OWNED, STORE_OPEN, STORE_AWAY, STORE_BUSY
   */
  static async open(url: string, clock: Clock, deployment?: string): Promise<PostgresDatabase> {
    const pg = (await import('pg')).default
    const { copyIn } = await import('./copy.ts')
    // Its types do not know of `pipeline` yet.
    const options: PoolConfig & { readonly pipeline: boolean } = {
      connectionString: url,
      application_name: 'regatta',
      max: MAX_CONNECTIONS,
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      keepAlive: true,
      // Statements go out together where nothing depends on what the first gives back.
      pipeline: true,
      types: {
        getTypeParser: (oid, format) => (NUMBERS.has(oid) ? Number : pg.types.getTypeParser(oid, format)),
      },
    }
    const pool = new pg.Pool(options)
    const database = new PostgresDatabase(toPlace(url), clock, pool, copyIn)
    try {
      await database.#prepare()
      if (deployment !== undefined) await database.#claim(deployment)
      return database
    } catch (error) {
      await pool.end()
      throw error
    }
  }

  async read<result>(work: Work<result>): Promise<result> {
    return await this.#transact(BEGIN_READ, work)
  }

  async write<result>(work: Work<result>): Promise<result> {
    const day = toDayOf(this.#clock())
    const done = await this.#transact(BEGIN_WRITE, async sql => {
      if (day !== this.#partitionedDay) await addPartitions(sql, day)
      return await work(sql)
    })
    this.#partitionedDay = day
    return done
  }

  async dropBefore(request: string): Promise<number> {
    return await this.#transact(BEGIN_WRITE, sql => dropPartitions(sql, request))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end()
  }

  async #prepare(): Promise<void> {
    const found = await this.#transact(BEGIN_READ, readPostgresVersion)
    if (found > SCHEMA_VERSION) throw newer(this.#where, found, SCHEMA_VERSION)
    if (found === SCHEMA_VERSION) return
    // Two processes may have found the old version: the second finds nothing to do.
    await this.#transact(BEGIN_WRITE, async sql => migratePostgres(sql, await readPostgresVersion(sql)))
  }

  /** Two deployments in one database would count each other's variants and epochs as their own. */
  async #claim(deployment: string): Promise<void> {
    const known = await this.#transact(BEGIN_READ, readOwner)
    const owner = known ?? (await this.#transact(BEGIN_WRITE, sql => claim(sql, deployment)))
    if (owner !== deployment) throw owned(this.#where, owner, deployment)
  }

  async #transact<result>(begin: string, work: Work<result>): Promise<result> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#tryOnce(begin, work)
      } catch (error) {
        if (!isContention(error) || tries === MAX_TRIES) throw toPostgresError(error, this.#where)
      }
      await sleep(10 * 2 ** tries)
    }
  }

  async #tryOnce<result>(begin: string, work: Work<result>): Promise<result> {
    const client = await this.#pool.connect()
    const sql = new PostgresSql(client, this.#copyIn)
    let broken = true
    try {
      sql.send(begin)
      const done = await work(sql)
      sql.send('commit')
      // Nobody waits for the end of what has only read: whoever uses the connection next comes after it.
      if (begin !== BEGIN_READ) await sql.settle()
      broken = false
      return done
    } catch (error) {
      broken = await client.query('rollback').then(
        () => false,
        () => true,
      )
      // What was refused first is why the others were.
      await sql.settle()
      throw error
    } finally {
      client.release(broken)
    }
  }
}

/** Where a database is, without who may use it: for messages. */
export function toPlace(url: string): string {
  if (!URL.canParse(url)) return 'PostgreSQL'
  const { host, pathname, searchParams } = new URL(url)
  return `postgres://${searchParams.get('host') ?? host}${pathname}`
}
