import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startPostgres } from '../../../tools/postgres/server.ts'
import { openPostgresStore, type Store } from '../index.ts'
import { PostgresDatabase } from '../postgres/postgres.node.ts'
import { SCHEMA_VERSION } from '../schema/migrations.ts'
import { bulkInsert, statement } from '../sql.ts'
import { killWriters } from './children.ts'
import { ask, createDatabase, DAY_MS, makePlace, NOON, startRace, toPair, toTruth } from './place.ts'

const server = process.env['REGATTA_TEST_POSTGRES'] ?? ''
const clock = Date.now

describe('a store', () => {
  it('has everything that was acknowledged, once, after several writers at a time were killed', async () => {
    await using place = await makePlace(server)
    assert.ok((await killWriters(place, { rounds: 4, writers: 4 })) > 100)
  })
})

describe('openPostgresStore()', () => {
  it('makes its schema once when several open it at the same time, and keeps to it', async () => {
    const url = await createDatabase(server)
    await ask(url, 'create table variant (title text)')
    const stores = await Promise.all([1, 2, 3, 4].map(() => openPostgresStore(url, { clock })))
    for (const store of stores) assert.equal((await store.readVariants()).length, 0)
    for (const store of stores) await store[Symbol.asyncDispose]()
    assert.deepEqual(await ask(url, 'select * from public.variant'), [])
  })

  it('refuses a newer schema and names the fix, but not who may log in', async () => {
    const url = await createDatabase(server)
    await (await openPostgresStore(url, { clock }))[Symbol.asyncDispose]()
    await ask(url, `update regatta.schema_version set version = ${SCHEMA_VERSION + 1}`)
    const withPassword = new URL(url)
    withPassword.password = 'geheim'
    await assert.rejects(openPostgresStore(withPassword.href, { clock }), (error: Error) => {
      assert.match(error.message, new RegExp(`its schema is version ${SCHEMA_VERSION + 1}, this regatta knows up to`))
      assert.doesNotMatch(error.message, /geheim/)
      return true
    })
  })

  it('keeps to one deployment, and tells another whose the database is', async () => {
    const url = await createDatabase(server)
    // One that was made before it was asked whose it is.
    await (await openPostgresStore(url, { clock }))[Symbol.asyncDispose]()
    const open = async (deployment: string): Promise<void> =>
      await (await openPostgresStore(url, { clock, deployment }))[Symbol.asyncDispose]()
    await open('shop')
    await open('shop')
    const place = new URL(url)
    await assert.rejects(open('blog'), {
      code: 'STORE_OWNED',
      message: `Cannot use the database "postgres://${place.host}${place.pathname}" for the deployment "blog": it is of the deployment "shop"`,
    })
  })

  it('says that it cannot reach or use a database', async () => {
    const away = 'postgres://regatta:geheim@127.0.0.1:1/none'
    await assert.rejects(openPostgresStore(away, { clock }), {
      code: 'STORE_AWAY',
      retryable: true,
      message: 'Cannot reach the database "postgres://127.0.0.1:1/none"',
    })
    const missing = new URL(server)
    missing.pathname = '/missing'
    await assert.rejects(openPostgresStore(missing.href, { clock }), { code: 'STORE_OPEN' })
  })

  it('keeps days apart, and drops what is old in one piece', async () => {
    const url = await createDatabase(server)
    let now = NOON
    await using store = await openPostgresStore(url, { clock: () => now })
    const race = await startRace(store)
    const parts = async (): Promise<readonly unknown[]> =>
      (await ask(url, "select relname from pg_class where relname ~ '^prediction_d[0-9]+$' order by 1")).map(
        ({ relname }) => relname,
      )
    const day = Math.floor(NOON / DAY_MS)
    assert.deepEqual(
      await parts(),
      [-1, 0, 1, 2, 3].map(n => `prediction_d${day + n}`),
    )
    for (const n of [0, 1, 2]) {
      now = NOON + n * DAY_MS
      await store.addPredictions(toPair(n, 1, 2, now))
      await store.addTruths([toTruth(n, 0, { at: now })], now)
    }
    const before = await store.readScoreboard(race)
    assert.deepEqual(await store.prune(NOON + DAY_MS + 1, false), { rows: 10 })
    assert.deepEqual((await parts())[0], `prediction_d${day + 1}`)
    assert.deepEqual((await store.readScoreboard(race)).paired, before.paired)
    assert.deepEqual(await ask(url, 'select count(*)::int as n from regatta.prediction'), [{ n: 2 }])
  })
})

describe('a store whose PostgreSQL stops', () => {
  it('says that it is away, and goes on by itself when it is back, with everything once', async t => {
    const own = await startPostgres({ durable: true })
    assert.ok(!('problem' in own), 'problem' in own ? own.problem : '')
    t.after(() => own[Symbol.asyncDispose]())
    await using store = await openPostgresStore(own.toUrl(), { clock })
    const race = await startRace(store)
    const put = async (some: Store, n: number): Promise<void> => {
      await some.addPredictions(toPair(n, 1, 2))
      await some.addTruths([toTruth(n, 0)], NOON)
    }
    await put(store, 0)
    for (const how of ['fast', 'now'] as const) {
      await own.stop(how)
      await assert.rejects(put(store, 1), { code: 'STORE_AWAY', retryable: true })
      await own.start()
      await put(store, 1)
    }
    assert.equal((await store.readScoreboard(race)).paired.count, 2)
  })
})

describe('a batch that PostgreSQL refuses', () => {
  it('changes nothing, and does not disturb what comes after it on the same connection', async () => {
    const url = await createDatabase(server)
    await using database = await PostgresDatabase.open(url, clock)
    const insert = bulkInsert('entity', { epoch: 'integer', entity: 'text' } as const)
    const add = (...entities: readonly string[]) =>
      database.write(async sql => {
        await sql.bulk(
          insert,
          entities.map(entity => ({ epoch: 1, entity })),
        )
        return (await sql.all<{ readonly n: number }>(count())).at(0)?.n
      })
    const count = statement<[]>('select count(*) as n from entity')
    await assert.rejects(add('ann', 'bob', 'ann'), /duplicate key/)
    assert.equal(await add('ann', 'tab\t \\N line\n'), 2)
    assert.deepEqual(await ask(url, "select entity from regatta.entity where entity <> 'ann'"), [
      { entity: 'tab\t \\N line\n' },
    ])
  })
})
