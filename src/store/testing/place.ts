import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { parseDigest, parseVariantName } from '../../core/brands.ts'
import { toUuidV7 } from '../../core/uuid.ts'
import type { PredictionRecord } from '../../core/wire/records.ts'
import { type NewRace, openStore, type RaceSpec, type Store, type Truth } from '../index.ts'

/** Noon of 2026-01-15 UTC: the time of every test that names none. */
export const NOON = Date.UTC(2026, 0, 15, 12)
/** A day, ms. */
export const DAY_MS = 86_400_000

/** A folder that is gone when the test is over. */
export async function makeFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'regatta-store-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** A PostgreSQL to run the tests on; without one they run on SQLite. */
export const TEST_POSTGRES = process.env['REGATTA_TEST_POSTGRES']

/** A database of its own for one test; it is gone when the test is over. */
export interface Place extends AsyncDisposable {
  readonly store: Store
  /** What `openStore` takes to open the same database again. */
  readonly where: { readonly path: string; readonly url: string | undefined }
  /** Opens it once more, as another process would. */
  open(): Promise<Store>
}

/** A store in a database of its own, with the clock at `now`. */
export async function makeStore(now = NOON + 100 * DAY_MS): Promise<Place> {
  return await makePlace(TEST_POSTGRES, now)
}

/** A store in a database of its own, of a PostgreSQL where there is one, else in a file. */
export async function makePlace(server: string | undefined, now = NOON + 100 * DAY_MS): Promise<Place> {
  await using stack = new AsyncDisposableStack()
  const where = server === undefined ? await makeFile(stack) : await makeDatabase(stack, server)
  const store = stack.use(await openStore(where, { clock: () => now }))
  const kept = stack.move()
  return {
    ...{ store, where },
    open: async () => kept.use(await openStore(where, { clock: () => now })),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

async function makeFile(stack: AsyncDisposableStack): Promise<Place['where']> {
  const folder = stack.use(await makeFolder())
  return { path: join(folder.path, 'regatta.db'), url: undefined }
}

/** Databases of tests that are over: making one takes longer than a test. */
const free: string[] = []

async function makeDatabase(stack: AsyncDisposableStack, server: string): Promise<Place['where']> {
  const url = free.pop() ?? (await createDatabase(server))
  stack.defer(async () => {
    await ask(url, EMPTY)
    free.push(url)
  })
  return { path: '', url }
}

/** Makes a database on a server; it goes with the server. */
export async function createDatabase(server: string): Promise<string> {
  const name = `t${randomBytes(8).toString('hex')}`
  await ask(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

/** Empties every table, and begins to count anew. */
const EMPTY = `do $$
  declare name text;
  begin
    set local session_replication_role = replica;
    for name in select c.oid::regclass from pg_class c
      where c.relnamespace = 'regatta'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and c.relname <> 'schema_version'
    loop execute 'delete from ' || name; end loop;
    for name in select c.oid::regclass from pg_class c
      where c.relnamespace = 'regatta'::regnamespace and c.relkind = 'S'
    loop execute 'alter sequence ' || name || ' restart'; end loop;
  end $$`

/** Asks PostgreSQL something beside the store. */
export async function ask(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

/** A rule that races of tests have. */
export const spec: RaceSpec = {
  task: 'regression',
  loss: { kind: 'squared' },
  alpha: 0.05,
  tOpt: 1000,
  minGain: 0,
  strict: false,
  maturityMs: 0,
  challengers: 1,
  ramp: [],
  guardrails: {},
  budget: {},
  margin: 0,
  season: 1,
}

/** Registers variants 1 (a) and 2 (b), opens epoch 1, and starts race 1 between them. */
export async function startRace(store: Store, race: Partial<NewRace> = {}): Promise<number> {
  const digest = parseDigest(`sha256:${'0'.repeat(64)}`)
  const a = await store.addVariant({ name: parseVariantName('a'), version: 1, digest, at: NOON })
  const b = await store.addVariant({ name: parseVariantName('b'), version: 2, digest, at: NOON })
  const weights = race.design === 'split' ? { [a]: 0.75, [b]: 0.25 } : { [a]: 1, [b]: 0 }
  await store.openEpoch({ epoch: 1, startedAt: NOON, weights })
  return await store.startRace({ a, b, design: 'paired', spec, startedAt: NOON, ...race })
}

/** All paired differences of a race, in the order of the times that they are for. */
export async function readDifferences(store: Store, race: number): Promise<readonly number[]> {
  return [...(await store.readDifferencesAfter(race, [])).differences]
}

/** A request id that the same number always gives; `at` is its time. */
export function toRequest(n: number, at = NOON): string {
  const random = new Uint8Array(10)
  new DataView(random.buffer).setUint32(6, n)
  return toUuidV7(at, random)
}

/** A record with one row that predicts 0. */
export function toRecord(more: Partial<PredictionRecord> = {}): PredictionRecord {
  return {
    request: toRequest(1),
    at: NOON,
    variant: 1,
    epoch: 1,
    served: true,
    propensity: 1,
    status: 200,
    latencyUs: 1500,
    replica: 'a-1',
    rows: [{ prediction: 0 }],
    ...more,
  }
}

/** What the champion served and the challenger's shadow saw of one request. */
export function toPair(n: number, a: number, b: number, at = NOON): readonly PredictionRecord[] {
  const request = toRequest(n, at)
  return [
    toRecord({ request, at, rows: [{ prediction: a }] }),
    toRecord({ request, at, variant: 2, served: false, replica: 'b-1', rows: [{ prediction: b }] }),
  ]
}

/** A truth of a prediction. */
export function toTruth(
  n: number,
  value: Truth['value'],
  more: { revision?: number; at?: number; row?: number } = {},
): Truth {
  const id = { request: toRequest(n, more.at), row: more.row ?? 0 }
  return { by: 'prediction', id, value, revision: more.revision ?? 0, source: undefined }
}

/** A truth of a series at a time. */
export function toObservation(series: string, at: number, value: Truth['value'], revision = 0): Truth {
  return { by: 'series', series, at, value, revision, source: 'sensor' }
}
