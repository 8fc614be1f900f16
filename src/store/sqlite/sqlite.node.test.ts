import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { openSqliteStore } from '../index.ts'
import { SCHEMA_VERSION } from '../schema/migrations.ts'
import { makeFolder, makeStore, NOON, startRace, toPair, toRecord, toRequest, toTruth } from '../testing/place.ts'

const run = promisify(execFile)
const clock = (): number => Date.now()

function exec(path: string, sql: string): void {
  using database = new DatabaseSync(path)
  database.exec(sql)
}

const count = (from: number, length: number): number[] => Array.from({ length }, (_, n) => from + n)

describe('openSqliteStore()', () => {
  it('makes the file and its folder, and finds everything there again', async () => {
    await using folder = await makeFolder()
    const path = join(folder.path, 'new/deep/regatta.db')
    {
      await using store = await openSqliteStore(path, { clock })
      await startRace(store)
      await store.addPredictions(toPair(1, 1, 2))
      await store.addTruths([toTruth(1, 0)], NOON)
    }
    await using store = await openSqliteStore(path, { clock })
    assert.equal((await store.readScoreboard(1)).paired.mean, -3)
    assert.equal((await store.readVariants()).length, 2)
  })

  it('refuses a newer schema and names the fix', async () => {
    await using place = await makeStore()
    await place.store[Symbol.asyncDispose]()
    exec(place.where.path, `pragma user_version = ${SCHEMA_VERSION + 1}`)
    await assert.rejects(openSqliteStore(place.where.path, { clock }), {
      code: 'STORE_NEWER',
      message: `Cannot read the database "${place.where.path}": its schema is version ${SCHEMA_VERSION + 1}, this regatta knows up to ${SCHEMA_VERSION}`,
      fix: 'Use the regatta that wrote it, or a later one: npm install regatta@latest',
    })
  })

  it('refuses a file that is no database, and leaves it as it is', async () => {
    await using folder = await makeFolder()
    const path = join(folder.path, 'regatta.db')
    const text = 'These are notes, not a database. '.repeat(100)
    await writeFile(path, text)
    await assert.rejects(openSqliteStore(path, { clock }), { code: 'STORE_CORRUPT' })
    assert.equal(await readFile(path, 'utf8'), text)
  })

  it("refuses another program's database, and leaves it as it is", async () => {
    await using folder = await makeFolder()
    const path = join(folder.path, 'regatta.db')
    exec(path, 'create table song (title text)')
    const bytes = await readFile(path)
    await assert.rejects(openSqliteStore(path, { clock }), { code: 'STORE_CORRUPT', message: /another program's/ })
    assert.deepEqual(await readFile(path), bytes)
  })

  it('says that a damaged file is damaged', async () => {
    await using place = await makeStore()
    await startRace(place.store)
    await place.store.addPredictions(count(0, 500).flatMap(n => toPair(n, 1, 2)))
    await place.store[Symbol.asyncDispose]()
    await truncate(place.where.path, 3 * 4096)
    const use = async (): Promise<void> => {
      await using store = await openSqliteStore(place.where.path, { clock })
      await store.addTruths(
        count(0, 500).map(n => toTruth(n, 1)),
        NOON,
      )
    }
    await assert.rejects(use(), { code: 'STORE_CORRUPT', message: /damaged/ })
  })

  it('says where it cannot write', async () => {
    await using folder = await makeFolder()
    const file = join(folder.path, 'file')
    await writeFile(file, '')
    await mkdir(join(folder.path, 'taken'))
    for (const path of [join(file, 'regatta.db'), join(folder.path, 'taken')]) {
      await assert.rejects(openSqliteStore(path, { clock }), { code: 'STORE_OPEN' })
    }
  })

  it('migrates an older schema and keeps what it holds', async () => {
    await using folder = await makeFolder()
    const path = join(folder.path, 'regatta.db')
    exec(path, await readFile(join(import.meta.dirname, '../testing/schema-1.sql'), 'utf8'))
    await using store = await openSqliteStore(path, { clock })
    assert.equal(await store.readServedCount(), 2)
    const { arms, paired } = await store.readScoreboard(1)
    assert.deepEqual([arms[0].loss.mean, paired.count, paired.mean], [1, 1, -3])
    assert.equal((await store.readPrediction({ request: toRequest(1), row: 0 }))?.answers[1]?.loss, 4)
    assert.equal((await store.addTruths([toTruth(1, 9)], NOON)).conflict, 1)
    assert.equal((await store.addTruths([toTruth(1, 3, { revision: 1 })], NOON)).revised, 1)
    assert.equal((await store.readScoreboard(1)).paired.mean, 3)
    await store.addPredictions(toPair(3, 1, 2))
    assert.equal(await store.readServedCount(), 3)
  })

  it('is made and migrated once by two that open it at the same time', async () => {
    await using folder = await makeFolder()
    const path = join(folder.path, 'regatta.db')
    exec(path, await readFile(join(import.meta.dirname, '../testing/schema-1.sql'), 'utf8'))
    const stores = await Promise.all(count(0, 4).map(() => openSqliteStore(path, { clock })))
    for (const store of stores) assert.equal(await store.readServedCount(), 2)
    for (const store of stores) await store[Symbol.asyncDispose]()
  })

  it('says that the disk is full, keeps what it has, and goes on when there is room', async t => {
    await using folder = await makeFolder()
    const disk = join(folder.path, 'disk')
    await mkdir(disk)
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).catch((error: unknown) => error)
    if (mounted instanceof Error) return t.skip(`cannot mount a small tmpfs: ${mounted.message}`)
    try {
      await using store = await openSqliteStore(join(disk, 'regatta.db'), { clock })
      const race = await startRace(store)
      let stored = 0
      const fill = async (): Promise<void> => {
        for (; stored < 100; stored++)
          await store.addPredictions(count(stored * 200, 200).flatMap(n => toPair(n, 1, 2)))
      }
      await assert.rejects(fill(), { code: 'STORE_FULL', retryable: true })
      assert.ok(stored > 0)
      assert.equal((await store.readScoreboard(race)).arms[1].predictions, stored * 200)
      await run('mount', ['-o', 'remount,size=16m', disk])
      const again = count(stored * 200, 200).flatMap(n => toPair(n, 1, 2))
      assert.equal((await store.addPredictions(again)).added, 400)
    } finally {
      await run('umount', [disk])
    }
  })

  it('says so when another keeps it locked for too long', async () => {
    await using place = await makeStore()
    let now = 0
    await using store = await openSqliteStore(place.where.path, { clock: () => now })
    using database = new DatabaseSync(place.where.path)
    database.exec('begin immediate')
    const write = store.addPredictions([toRecord()])
    now = 60_000
    await assert.rejects(write, { code: 'STORE_BUSY', retryable: true })
    assert.deepEqual(await store.readTruthCounts(), await place.store.readTruthCounts())
    database.exec('rollback')
    assert.equal((await store.addPredictions([toRecord()])).added, 1)
  })
})
