import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../core/clock.ts'
import type { PredictionRecord } from '../core/wire/records.ts'
import { readCounter } from './counters.ts'
import { readOutcomes } from './export.ts'
import { addPredictions } from './predictions.ts'
import { countPrunable, pruneStep, sealBefore } from './prune.ts'
import * as races from './races.ts'
import { readDifferences, readScoreboard } from './scoreboard.ts'
import { SqliteFile } from './sqlite.node.ts'
import type { Store, Truth, TruthCounts } from './store.ts'
import { readPrediction } from './trace.ts'
import { addTruths, NO_TRUTHS, readTruthCounts, sumCounts } from './truths.ts'

/**
 * Opens the database of events at `path`, making it and its folder where they are missing, and brings an older schema
 * up to date. Other processes may have it open too, to read or to write. Dispose it to close it.
 *
 * @throws STORE_NEWER, STORE_CORRUPT, STORE_OPEN, STORE_FULL, STORE_BUSY; every method the last three and STORE_CORRUPT
 */
export async function openSqliteStore(path: string, { clock }: { readonly clock: Clock }): Promise<Store> {
  const file = await SqliteFile.open(path, clock)
  return {
    addVariant: variant => file.write(sql => races.addVariant(sql, variant)),
    readVariants: () => file.read(races.readVariants),
    startRace: race => file.write(sql => races.startRace(sql, race)),
    endRace: (race, at, how) => file.write(sql => races.endRace(sql, race, at, how)),
    readRace: () => file.read(races.readRace),
    openEpoch: epoch => file.write(sql => races.openEpoch(sql, epoch)),
    readEpochs: () => file.read(races.readEpochs),
    addPredictions: records => storePredictions(file, records),
    addTruths: (truths, now) => storeTruths(file, truths, now),
    readScoreboard: race => file.read(sql => readScoreboard(sql, race)),
    readDifferences: race => file.read(sql => readDifferences(sql, race)),
    readOutcomes: (race, after, limit) => file.read(sql => readOutcomes(sql, race, after, limit)),
    readTruthCounts: () => file.read(readTruthCounts),
    readServedCount: () => file.read(sql => readCounter(sql, 'served')),
    addDecision: decision => file.write(sql => races.addDecision(sql, decision)),
    readDecision: race => file.read(sql => races.readDecision(sql, race)),
    readPrediction: id => file.read(sql => readPrediction(sql, id)),
    // Nothing can be closed that is still to come.
    prune: (before, dryRun) => prune(file, Math.floor(Math.min(before, clock())), dryRun),
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}

/** Items that one transaction stores: in between, the process can do other things. */
const ITEMS_PER_STEP = 1000

function* toSteps<item>(items: readonly item[]): Generator<readonly item[]> {
  for (let at = 0; at < items.length; at += ITEMS_PER_STEP) yield items.slice(at, at + ITEMS_PER_STEP)
}

async function storePredictions(
  file: SqliteFile,
  records: readonly PredictionRecord[],
): Promise<{ readonly added: number; readonly joined: number }> {
  let [added, joined] = [0, 0]
  for (const step of toSteps(records)) {
    const done = await file.write(sql => addPredictions(sql, step))
    added += done.added
    joined += done.joined
    await breathe()
  }
  return { added, joined }
}

async function storeTruths(file: SqliteFile, truths: readonly Truth[], now: number): Promise<TruthCounts> {
  let counts = NO_TRUTHS
  for (const step of toSteps(truths)) {
    counts = sumCounts(counts, await file.write(sql => addTruths(sql, step, now)))
    await breathe()
  }
  return counts
}

/** Between two steps of pruning: longer than another process takes to ask again for its turn to write, ms. */
const PRUNE_PAUSE_MS = 40

async function prune(file: SqliteFile, before: number, dryRun: boolean): Promise<{ readonly rows: number }> {
  if (dryRun) return { rows: await file.read(sql => countPrunable(sql, before)) }
  await file.write(sql => sealBefore(sql, before))
  let rows = 0
  for (;;) {
    const step = await file.write(sql => pruneStep(sql, before))
    rows += step.rows
    if (step.done) return { rows }
    await sleep(PRUNE_PAUSE_MS)
  }
}
