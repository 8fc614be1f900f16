/*
 * What the database of events costs, embedded and shared, as it fills: predictions and truths per second with the
 * join, the losses and the sums, the scoreboard beside a recompute, and memory. Slices of the databases take turns.
 *
 *     npm run bench:store -- [--sizes 10000,100000,1000000] [--databases sqlite,postgres] [--json FILE]
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CONTROL_NODE_FLAGS } from '../../src/core/control-memory.ts'
import { type Postgres, startPostgres } from '../../tools/postgres/server.ts'
import { toAligned } from '../table.ts'
import { bundleWriter } from './bundle.ts'
import type { Ask, Look, Slice } from './messages.ts'
import { type Line, type Measured, toClaims, toFlatness, toLines } from './results.ts'
import { RowByRow } from './row-by-row.ts'

/** Requests of one slice, of two predictions each. */
const SLICE = 5000
/** Single inserts that are timed at each look. */
const SINGLE_ROWS = 300

type Database = Measured['database']

/** A writer process and what it said so far. */
class Writer {
  readonly database: Database
  readonly url: string | undefined
  readonly slices: (Slice & { requests: number })[] = []
  readonly looks: (Look & { predictions: number })[] = []
  readonly rowByRow: { own: number; one: number }[] = []
  readonly #child: ChildProcess

  constructor(database: Database, bundle: string, { path, url }: { path: string; url: string | undefined }) {
    this.database = database
    this.url = url
    this.#child = fork(bundle, [JSON.stringify({ path, url })], { execArgv: [...CONTROL_NODE_FLAGS] })
  }

  async ready(): Promise<void> {
    await once(this.#child, 'message')
  }

  async write(from: number, requests: number): Promise<void> {
    this.slices.push({ ...((await this.#ask({ kind: 'slice', from, requests })) as Slice), requests })
  }

  async look(predictions: number): Promise<void> {
    const look = (await this.#ask({ kind: 'look' })) as Look
    if (look.pairs[0] !== look.pairs[1])
      throw new Error(`The sums have ${look.pairs[0]} pairs, the rows ${look.pairs[1]}`)
    this.looks.push({ ...look, predictions })
    if (this.url === undefined) return
    await using single = await RowByRow.open(this.url)
    this.rowByRow.push({ own: await single.measure(SINGLE_ROWS, false), one: await single.measure(SINGLE_ROWS, true) })
  }

  async end(): Promise<void> {
    const exit = once(this.#child, 'exit')
    this.#child.send({ kind: 'end' } satisfies Ask)
    await exit
  }

  async #ask(ask: Ask): Promise<unknown> {
    const answered = new AbortController()
    const { signal } = answered
    this.#child.send(ask)
    try {
      const ended = once(this.#child, 'exit', { signal }).then(() => Promise.reject(new Error('A writer ended')))
      return (await Promise.race([once(this.#child, 'message', { signal }), ended]))[0]
    } finally {
      answered.abort()
    }
  }
}

async function run(writers: readonly Writer[], sizes: readonly number[]): Promise<void> {
  for (const writer of writers) await writer.ready()
  let stored = 0
  for (const size of sizes) {
    while (2 * stored < size) {
      const requests = Math.min(SLICE, Math.ceil(size / 2) - stored, Math.max(500, Math.ceil(size / 20)))
      // Each goes first as often as last.
      const order = (stored / SLICE) % 2 < 1 ? writers : writers.toReversed()
      for (const writer of order) await writer.write(stored, requests)
      stored += requests
    }
    for (const writer of writers) await writer.look(size)
    console.error(`${size} predictions`)
  }
}

const whole = (x: number): string => String(Math.round(x))

function toRow(line: Line): readonly string[] {
  const { database, predictions, readMs, recomputeMs, rssBytes } = line
  const rates = [line.predictionsPerS, line.predictionsPerCpuS, line.truthsPerS, line.truthsPerCpuS].map(whole)
  const reads = [readMs.toFixed(2), whole(recomputeMs), whole(recomputeMs / readMs), whole(rssBytes / 1e6)]
  return [database, String(predictions), ...rates, ...reads]
}

const HEAD = [
  ...['database', 'predictions', 'predictions/s', '/CPU s', 'truths/s', '/CPU s'],
  ...['read ms', 'recompute ms', 'ratio', 'RSS MB'],
]

function print(all: readonly Measured[]): void {
  console.log(toAligned(HEAD, all.flatMap(toLines).map(toRow)))
  for (const measured of all) {
    const by = (how: 'ms' | 'cpuMs'): string => toFlatness(measured, how).toFixed(2)
    console.log(`\n${measured.database}: last slices / first: ${by('ms')} by the clock, ${by('cpuMs')} by CPU time`)
    for (const { own, one } of measured.rowByRow)
      console.log(`single inserts: ${whole(own)}/s in transactions of their own, ${whole(one)}/s in one`)
  }
  const claims = all
    .flatMap(toClaims)
    .map(({ name, wanted, found, holds }) => [holds ? 'holds' : 'FAILS', name, wanted, found])
  console.log(`\n${toAligned(['', 'claim', 'wanted', 'found'], claims)}`)
}

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000,1000000' },
    databases: { type: 'string', default: 'sqlite,postgres' },
    json: { type: 'string' },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'regatta-bench-store-'))
let server: Postgres | undefined
try {
  const wanted = values.databases.split(',')
  const started = wanted.includes('postgres') ? await startPostgres({ durable: true }) : { problem: 'not asked for' }
  if ('problem' in started) console.error(`without PostgreSQL: ${started.problem}`)
  else server = started
  const bundle = await bundleWriter(folder)
  const writers = [
    ...(wanted.includes('sqlite')
      ? [new Writer('sqlite', bundle, { path: join(folder, 'regatta.db'), url: undefined })]
      : []),
    ...(server === undefined ? [] : [new Writer('postgres', bundle, { path: '', url: server.toUrl() })]),
  ]
  await run(writers, values.sizes.split(',').map(Number))
  for (const writer of writers) await writer.end()
  const measured = writers.map(({ database, looks, rowByRow, slices }) => ({ database, looks, rowByRow, slices }))
  print(measured)
  if (values.json !== undefined) {
    const lines = measured.flatMap(toLines)
    const claims = measured.flatMap(toClaims)
    writeFileSync(
      values.json,
      `${JSON.stringify({ schema: 'regatta/bench-store/v1', lines, claims, measured }, null, 2)}\n`,
    )
  }
} finally {
  await server?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
}
