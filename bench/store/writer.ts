import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { parseDigest, parseVariantName } from '../../src/core/brands.ts'
import { toUuidV7 } from '../../src/core/uuid.ts'
import type { PredictionRecord } from '../../src/core/wire/records.ts'
import { openStore, type Store, type Truth } from '../../src/store/index.ts'
import { toMedian } from '../statistics.ts'
import type { Ask, Look, Slice, Took } from './messages.ts'

/*
 * A process with a store: `node writer.ts WHERE`, where WHERE is what `openStore` takes, as JSON. It makes a race, then
 * does what it is asked. What it stores is made before the clock starts.
 */
const where: { readonly path: string; readonly url?: string } = JSON.parse(process.argv[2] ?? '')
const START = Date.UTC(2026, 0, 15)
/** Records and truths that one call brings, as a gateway sends them. */
const BATCH = 1000
const LOOKS = 15
const WARM_REQUESTS = 5000

const random = Buffer.alloc(10)

function toRequest(n: number): string {
  random.writeUInt32BE((n * 2_654_435_761) >>> 0, 2)
  random.writeUInt32BE(n, 6)
  return toUuidV7(START + n, random)
}

function toRecords(n: number): readonly PredictionRecord[] {
  const request = toRequest(n)
  const common = { request, at: START + n, epoch: 1, propensity: 1, status: 200, latencyUs: 800 + (n % 977) }
  return [
    { ...common, variant: 1, served: true, replica: 'a-1', rows: [{ prediction: Math.sin(n) }] },
    { ...common, variant: 2, served: false, replica: 'b-1', rows: [{ prediction: Math.sin(n + 0.1) }] },
  ]
}

function toTruths(n: number): readonly Truth[] {
  const id = { request: toRequest(n), row: 0 }
  return [{ by: 'prediction', id, value: Math.sin(n + 0.07) + (n % 13) / 50, revision: 0, source: undefined }]
}

async function startRace(store: Store): Promise<number> {
  const digest = parseDigest(`sha256:${'0'.repeat(64)}`)
  const add = (name: string, version: number): Promise<number> =>
    store.addVariant({ name: parseVariantName(name), version, digest, at: START })
  const [a, b] = [await add('a', 1), await add('b', 2)]
  await store.openEpoch({ epoch: 1, startedAt: START, weights: { [a]: 1, [b]: 0 } })
  const rule = { alpha: 0.05, tOpt: 1000, minGain: 0, margin: 0, season: 1 }
  const control = { strict: false, maturityMs: 0, challengers: 1, ramp: [], guardrails: {}, budget: {} }
  const spec = { task: 'regression', loss: { kind: 'squared' }, ...rule, ...control } as const
  return await store.startRace({ a, b, design: 'paired', spec, startedAt: START })
}

async function measure(work: () => Promise<unknown>): Promise<Took> {
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { ms: performance.now() - startedAt, cpuMs: (user + system) / 1000 }
}

/** Stores what `make` makes of numbers, in batches, and adds up what that takes; making them does not count. */
async function measureBatches<item>(
  numbers: readonly number[],
  make: (n: number) => readonly item[],
  store: (batch: readonly item[]) => Promise<unknown>,
): Promise<Took> {
  let [ms, cpuMs, at] = [0, 0, 0]
  while (at < numbers.length) {
    const batch: item[] = []
    while (at < numbers.length && batch.length < BATCH) batch.push(...make(numbers[at++] ?? 0))
    const took = await measure(() => store(batch))
    ms += took.ms
    cpuMs += took.cpuMs
  }
  return { ms, cpuMs }
}

async function writeSlice(store: Store, from: number, requests: number): Promise<Slice> {
  const numbers = Array.from({ length: requests }, (_, at) => from + at)
  const predictions = await measureBatches(numbers, toRecords, batch => store.addPredictions(batch))
  const now = START + from + requests
  const truths = await measureBatches(numbers, toTruths, batch => store.addTruths(batch, now))
  return { kind: 'slice', predictions, truths }
}

/** What the sums say, from single rows: each arm's mean loss, and the mean of their differences. */
const RECOMPUTE = `select count(*) as n, avg(pa.loss) as a, avg(pb.loss) as b, avg(pa.loss - pb.loss) as d,
    avg((pa.loss - pb.loss) * (pa.loss - pb.loss)) as dd
  from prediction pa join prediction pb on pb.request = pa.request and pb.row = pa.row and pb.variant = 2
    join answer qa on qa.request = pa.request and qa.variant = pa.variant
    join answer qb on qb.request = pb.request and qb.variant = pb.variant
    join epoch_race e on e.epoch = qa.epoch and e.race = 1
  where pa.variant = 1 and pa.state = 1 and pb.state = 1 and qb.epoch = qa.epoch`

async function recompute(): Promise<number> {
  if (where.url === undefined) {
    using database = new DatabaseSync(where.path, { readOnly: true })
    return Number(database.prepare(RECOMPUTE).get()?.['n'])
  }
  const client = new pg.Client({ connectionString: where.url })
  await client.connect()
  await client.query('set search_path = regatta')
  const { rows } = await client.query(RECOMPUTE)
  await client.end()
  return Number(rows[0]?.n)
}

async function look(store: Store, race: number): Promise<Look> {
  const reads: number[] = []
  for (let n = 0; n < LOOKS; n++) reads.push((await measure(() => store.readScoreboard(race))).ms)
  const { paired } = await store.readScoreboard(race)
  let found = 0
  const times: number[] = []
  for (let n = 0; n < 3; n++) {
    const { ms } = await measure(async () => {
      found = await recompute()
    })
    times.push(ms)
  }
  const rssBytes = process.memoryUsage.rss()
  return { kind: 'look', readMs: toMedian(reads), recomputeMs: toMedian(times), rssBytes, pairs: [paired.count, found] }
}

/** A process compiles what it runs in its first seconds: that is over before anything is measured. */
async function warmUp(): Promise<void> {
  const scratch = { path: `${where.path}.scratch`, url: where.url && (await createDatabase(where.url, 'scratch')) }
  await using store = await openStore(scratch, { clock: Date.now })
  await startRace(store)
  for (let n = 0; n < 3; n++) await writeSlice(store, n * WARM_REQUESTS, WARM_REQUESTS)
}

async function createDatabase(url: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  return Object.assign(new URL(url), { pathname: `/${name}` }).href
}

await warmUp()
await using store = await openStore({ path: where.path, url: where.url }, { clock: Date.now })
const race = await startRace(store)
const done = Promise.withResolvers<void>()
let last = Promise.resolve()
process.on('message', (ask: Ask) => {
  last = last
    .then(async () => {
      if (ask.kind === 'end') return done.resolve()
      process.send?.(ask.kind === 'slice' ? await writeSlice(store, ask.from, ask.requests) : await look(store, race))
    })
    .catch(done.reject)
})
process.send?.('ready')
await done.promise
process.disconnect?.()
