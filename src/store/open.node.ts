import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../core/clock.ts'
import type { PredictionRecord } from '../core/wire/records.ts'
import type { Database } from './database.ts'
import { addDeploymentChange, readDeploymentChanges } from './deployment-changes.ts'
import { readDifferencesAfter } from './differences.ts'
import { readOutcomes } from './export.ts'
import type { Truth, TruthCounts } from './facts/truth.ts'
import { NO_TRUTHS, sumCounts } from './fates.ts'
import { readLabels } from './labels.ts'
import { PostgresDatabase } from './postgres/postgres.node.ts'
import { addPredictions } from './predictions.ts'
import { countPrunable, pruneStep, sealBefore } from './prune.ts'
import * as races from './races.ts'
import { ripen } from './ripening.ts'
import { SqliteFile } from './sqlite/sqlite.node.ts'
import type { Store } from './store.ts'
import { readCounter } from './sums/counters.ts'
import { toKeyFloor } from './sums/days.ts'
import { readScoreboard } from './sums/scoreboard.ts'
import { readDurations, readMaturity, readSums } from './sums/sums.ts'
import { readPrediction } from './trace.ts'
import { addTruths, readTruthCounts } from './truths.ts'

/** What a store takes from outside. */
export interface StoreOptions {
  readonly clock: Clock
  /**
   * Whose events they are: a PostgreSQL database that holds another deployment's is refused. A file needs no such
   * check, since it lies in its project's folder. @default nobody's in particular
   */
  readonly deployment?: string
}

/**
 * Opens the database of events: the PostgreSQL database at `url` where there is one, else the file at `path`.
 *
 * @throws STORE_NEWER, STORE_OWNED, STORE_CORRUPT, STORE_OPEN, STORE_FULL, STORE_BUSY, STORE_AWAY; every method the
 * last four and STORE_CORRUPT
 */
export async function openStore(
  { path, url }: { readonly path: string; readonly url: string | undefined },
  options: StoreOptions,
): Promise<Store> {
  return url === undefined ? await openSqliteStore(path, options) : await openPostgresStore(url, options)
}

/**
 * Opens the database of events at `path`, making it and its folder where they are missing, and brings an older schema
 * up to date. Other processes may have it open too, to read or to write. Dispose it to close it.
 *
 * @throws STORE_NEWER, STORE_CORRUPT, STORE_OPEN, STORE_FULL, STORE_BUSY; every method the last three and STORE_CORRUPT
 */
export async function openSqliteStore(path: string, { clock }: StoreOptions): Promise<Store> {
  return toStore(await SqliteFile.open(path, clock), clock)
}

/**
 * Opens the database of events in PostgreSQL (15 or later), in the schema `regatta`, which it makes where it is
 * missing, and brings an older one up to date. Other processes may use it too. Dispose it to close its connections.
 *
 * @throws STORE_NEWER, STORE_OWNED, STORE_OPEN, STORE_FULL, STORE_BUSY, STORE_AWAY; every method the last three
 */
export async function openPostgresStore(url: string, { clock, deployment }: StoreOptions): Promise<Store> {
  return toStore(await PostgresDatabase.open(url, clock, deployment), clock)
}

function toStore(database: Database, clock: Clock): Store {
  return {
    addVariant: variant => database.write(sql => races.addVariant(sql, variant)),
    readVariants: () => database.read(races.readVariants),
    startRace: race => database.write(sql => races.startRace(sql, race)),
    endRace: (race, at, how) => database.write(sql => races.endRace(sql, race, at, how)),
    readRace: () => database.read(races.readRace),
    readRaces: () => database.read(races.readRaces),
    openEpoch: epoch => database.write(sql => races.openEpoch(sql, epoch)),
    readEpochs: () => database.read(races.readEpochs),
    addDeploymentChange: change => database.write(sql => addDeploymentChange(sql, change)),
    readDeploymentChanges: limit => database.read(sql => readDeploymentChanges(sql, limit)),
    addPredictions: records => storePredictions(database, records, clock()),
    addTruths: (truths, now) => storeTruths(database, truths, now),
    ripen: now => storeRipe(database, now),
    readScoreboard: race => database.read(sql => readScoreboard(sql, race)),
    readSums: race => database.read(sql => readSums(sql, race)),
    readDurations: race => database.read(sql => readDurations(sql, race)),
    readMaturity: (race, before) => database.read(sql => readMaturity(sql, race, before)),
    readDifferencesAfter: (race, cursors) => database.read(sql => readDifferencesAfter(sql, race, cursors)),
    readOutcomes: (race, after, limit) => database.read(sql => readOutcomes(sql, race, after, limit)),
    readLabels: subjects => database.read(sql => readLabels(sql, subjects)),
    readTruthCounts: () => database.read(readTruthCounts),
    readServedCount: () => database.read(sql => readCounter(sql, 'served')),
    addDecision: decision => database.write(sql => races.addDecision(sql, decision)),
    addRaceEvent: event => database.write(sql => races.addRaceEvent(sql, event)),
    readRaceEvents: race => database.read(sql => races.readRaceEvents(sql, race)),
    readDecision: race => database.read(sql => races.readDecision(sql, race)),
    readMemory: race => database.read(sql => races.readMemory(sql, race)),
    writeMemory: (race, memory) => database.write(sql => races.writeMemory(sql, race, memory)),
    readPrediction: id => database.read(sql => readPrediction(sql, id)),
    // Nothing can be closed that is still to come.
    prune: (before, dryRun) => prune(database, Math.floor(Math.min(before, clock())), dryRun),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

/** Items that one transaction stores: in between, the process can do other things, and others can have their turn. */
const ITEMS_PER_STEP = 1000

/** Parts a list so that the sizes of a step's items add up to a transaction's work. */
function* toSteps<item>(items: readonly item[], sizeOf: (item: item) => number): Generator<readonly item[]> {
  let [from, size] = [0, 0]
  for (const [at, item] of items.entries()) {
    size += sizeOf(item)
    if (size < ITEMS_PER_STEP) continue
    yield items.slice(from, at + 1)
    ;[from, size] = [at + 1, 0]
  }
  if (from < items.length) yield items.slice(from)
}

async function storeRipe(database: Database, now: number): Promise<void> {
  while (await database.write(sql => ripen(sql, now))) await breathe()
}

async function storePredictions(
  database: Database,
  records: readonly PredictionRecord[],
  now: number,
): Promise<{ readonly added: number; readonly joined: number }> {
  let [added, joined] = [0, 0]
  for (const step of toSteps(records, ({ rows }) => Math.max(1, rows.length))) {
    const done = await database.write(sql => addPredictions(sql, step, now))
    added += done.added
    joined += done.joined
    await breathe()
  }
  return { added, joined }
}

async function storeTruths(database: Database, truths: readonly Truth[], now: number): Promise<TruthCounts> {
  let counts = NO_TRUTHS
  for (const step of toSteps(truths, () => 1)) {
    counts = sumCounts(counts, await database.write(sql => addTruths(sql, step, now)))
    await breathe()
  }
  return counts
}

/** Between two steps of pruning: longer than another process takes to ask again for its turn to write, ms. */
const PRUNE_PAUSE_MS = 40

async function prune(database: Database, before: number, dryRun: boolean): Promise<{ readonly rows: number }> {
  if (dryRun) return { rows: await database.read(sql => countPrunable(sql, before)) }
  await database.write(sql => sealBefore(sql, before))
  let rows = await database.dropBefore(toKeyFloor(before))
  for (;;) {
    const step = await database.write(sql => pruneStep(sql, before))
    rows += step.rows
    if (step.done) return { rows }
    await sleep(PRUNE_PAUSE_MS)
  }
}
