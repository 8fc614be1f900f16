import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import type { Scoreboard } from '../facts/sums.ts'
import { SQLITE_MIGRATIONS } from '../sqlite/migrations.ts'
import type { Store } from '../store.ts'
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
} from '../testing/place.ts'
import { assertNear } from '../testing/recount.ts'

const VERSION = 4

/** What takes the tables and columns of newer versions of the schema away. */
function toUndo(version: number): string {
  return SQLITE_MIGRATIONS.slice(version)
    .flat()
    .toReversed()
    .flatMap(text => {
      const [, table, column] = /^alter table (\w+) add column (\w+)/.exec(text) ?? []
      if (column !== undefined) return `alter table ${table} drop column ${column};`
      const [, made] = /^create table (\w+)/.exec(text) ?? []
      return made === undefined ? [] : `drop table ${made};`
    })
    .join('')
}

/** In version 4 an index had all differences of pairs. */
const INDEX = 'create index pair_difference on pair (race, difference);'

/** Takes a database of today back to version 4. */
async function undo(place: Place): Promise<void> {
  const owner = place.where.url === undefined ? '' : 'alter table schema_version drop column deployment;'
  await rewind(place, VERSION, `${toUndo(VERSION)} ${INDEX} ${owner}`)
}

/** Does something to a database, after which it is of an older version. */
async function rewind({ where }: Place, version: number, texts: string): Promise<void> {
  if (where.url !== undefined) {
    await ask(where.url, `set search_path = regatta; ${texts} update schema_version set version = ${version}`)
    return
  }
  using database = new DatabaseSync(where.path)
  database.exec(`${texts} pragma user_version = ${version}`)
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

describe('version 8 of the schema', () => {
  const numbers = Array.from({ length: 12 }, (_, n) => n)
  const atOf = (n: number): number => NOON + (n < 6 ? 0 : DAY_MS)
  const FORGET = "update aggregate set low = 0, lows = 0, high = 0, highs = 0 where part = 'drawn';"

  /** Losses of a split: 121, 81, 49, 25, 9, 1 of A and 100, 64, 36, 16, 4, 0 of B, half of them a day later. */
  async function fillSplit(store: Store): Promise<number> {
    const race = await startRace(store, { design: 'split' })
    const toOne = (n: number, more: Partial<Parameters<typeof toRecord>[0]>) =>
      toRecord({ request: toRequest(n, atOf(n % 12)), variant: 1 + (n % 2), rows: [{ prediction: 11 - n }], ...more })
    const pinned = toOne(12, { pinned: true, rows: [{ prediction: 99 }] })
    await store.addPredictions([...numbers.map(n => toOne(n, {})), pinned])
    await store.addTruths(
      [...numbers, 12].map(n => toTruth(n, 0, { at: atOf(n % 12) })),
      NOON,
    )
    return race
  }

  it('finds the ends of what chance drew that version 7 wrote', async () => {
    await using place = await makeStore()
    const race = await fillSplit(place.store)
    const before = await place.store.readScoreboard(race)
    assertNear(before.armsDominance, toShare(before, 121 - 286 / 6))
    await rewind(place, 7, `${toUndo(7)} ${FORGET}`)
    const store = await place.open()
    assert.deepEqual(await store.readScoreboard(race), before)
    await store.prune(NOON + 1, false)
    assertNear((await store.readScoreboard(race)).armsDominance, before.armsDominance)
  })

  it('takes the ends of the rest where some was pruned', async () => {
    await using place = await makeStore()
    const race = await fillSplit(place.store)
    await place.store.prune(NOON + 1, false)
    await rewind(place, 7, `${toUndo(7)} ${FORGET}`)
    const board = await (await place.open()).readScoreboard(race)
    assertNear(board.armsDominance, toShare(board, 1 - 286 / 6))
  })
})

/** How much a loss so far from its arm's mean has of all that losses of an epoch's arms differ. */
function toShare({ epochs: [epoch] }: Scoreboard, distance: number): number {
  const { a, b } = epoch ?? assert.fail()
  return distance ** 2 / (a.m2 + b.m2)
}
