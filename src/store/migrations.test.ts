import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { SQLITE_MIGRATIONS } from './sqlite-migrations.ts'
import type { Store } from './store.ts'
import {
  ask,
  DAY_MS,
  makeStore,
  NOON,
  type Place,
  startRace,
  toPair,
  toRecord,
  toRequest,
  toTruth,
} from './testing/place.ts'
import { assertNear } from './testing/recount.ts'

const VERSION = 4

/** What takes newer versions of the schema back to version 4, in which an index had all differences of pairs. */
const UNDO = SQLITE_MIGRATIONS.slice(VERSION)
  .flat()
  .toReversed()
  .flatMap(text => {
    const [, table, column] = /^alter table (\w+) add column (\w+)/.exec(text) ?? []
    if (column !== undefined) return `alter table ${table} drop column ${column};`
    const [, made] = /^create table (\w+)/.exec(text) ?? []
    return made === undefined ? [] : `drop table ${made};`
  })
  .concat('create index pair_difference on pair (race, difference);')
  .join('')

async function undo({ where }: Place): Promise<void> {
  if (where.url !== undefined) {
    const version = `alter table schema_version drop column deployment; update schema_version set version = ${VERSION}`
    await ask(where.url, `set search_path = regatta; ${UNDO} ${version}`)
    return
  }
  using database = new DatabaseSync(where.path)
  database.exec(`${UNDO} pragma user_version = ${VERSION}`)
}

/** Differences of squares: −3, 0, 3, …, on two days of which the first is pruned up to noon. */
async function fill({ store }: Place): Promise<number> {
  const race = await startRace(store)
  for (const at of [NOON - 1, NOON, NOON + DAY_MS]) {
    const numbers = [0, 1, 2, 3, 4]
    await store.addPredictions(numbers.flatMap(n => toPair(n, n % 3, 2, at)))
    await store.addTruths(
      numbers.map(n => toTruth(n, 0, { at })),
      at,
    )
  }
  await store.prune(NOON, false)
  return race
}

describe('version 5 of the schema', () => {
  it('finds the ends of pairs that version 4 wrote, also of what was pruned', async () => {
    await using place = await makeStore()
    const race = await fill(place)
    const before = await place.store.readScoreboard(race)
    assert.ok(before.dominance > 0)
    await undo(place)
    const store = await place.open()
    assert.deepEqual(await store.readScoreboard(race), before)
    // A revision takes an end away, which is found among what is left.
    const dominance = async (): Promise<number> => (await store.readScoreboard(race)).dominance
    await store.addTruths([toTruth(0, 9, { revision: 1, at: NOON })], NOON)
    const revised = await dominance()
    await store.addTruths([toTruth(0, 0, { revision: 2, at: NOON })], NOON)
    assert.notEqual(revised, before.dominance)
    assert.ok(Math.abs((await dominance()) - before.dominance) < 1e-9)
  })
})

describe('version 6 of the schema', () => {
  it('finds the labels and weights of entities that version 4 wrote', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store, { design: 'split' })
    const entities = ['ann', 'ann', 'bob', 'bob', 'bob', 'cat']
    const toOne = (entity: string, n: number) => toRecord({ request: toRequest(n), entity, rows: [{ prediction: n }] })
    await place.store.addPredictions(entities.map(toOne))
    const truths = entities.map((_, n) => toTruth(n, n === 5 ? 5 : 0))
    await place.store.addTruths(truths, NOON)
    const read = async (store: Store) =>
      (await store.readSums(race)).arms.map(({ clusters: { far: _, ...clusters } }) => clusters)
    const before = await read(place.store)
    assert.deepEqual(
      before.map(({ count, events, labels }) => [count, events, labels]),
      [[3, 2, 6]],
    )
    await undo(place)
    const store = await place.open()
    assert.deepEqual(await read(store), before)
    // One more label of an entity is put in with the weights that it had.
    await store.addPredictions([toOne('cat', 6)])
    await store.addTruths([toTruth(6, 0)], NOON)
    const [after] = await read(store)
    assert.deepEqual([after?.count, after?.events, after?.labels], [3, 3, 7])
    assertNear(after?.meanX, 7 / 3)
    assertNear(after?.meanY, (0 + 1 + 4 + 9 + 16 + 36) / 3)
  })
})
