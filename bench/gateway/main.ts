/*
 * What the gateway costs: CPU time per request and added latency, over a server without a model, beside the same
 * server asked directly and nginx and haproxy as weighted proxies of it. Rounds are interleaved. Then what a shadow costs
 * that answers, and one that is stopped (SIGSTOP): it must cost no request its time.
 *
 *     node_modules/.bin/node bench/gateway/main.ts [REQUESTS] [ROUNDS] [ENTRY…]
 *
 * Further entries are other builds of the gateway (`src/route/main.ts` of another checkout) to compare with.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readUsage } from '../process-mark.ts'
import { toMedian } from '../statistics.ts'
import { type LoadResult, runLoad } from './load.ts'
import { type Program, startGateway, startUpstream } from './programs.ts'
import { startProxies } from './proxies.ts'

const PATH = '/v1/models/m:predict'
const CONNECTIONS = 16

interface Contender extends Program {
  readonly name: string
  /** Called before each of its loads. */
  readonly prepare?: () => void
}

interface Row extends LoadResult {
  readonly name: string
  readonly cpuUs: number
  readonly rssMiB: number
}

const folder = mkdtempSync(join(tmpdir(), 'regatta-bench-'))
const programs: Program[] = []

const own = <program extends Program>(program: program): program => {
  programs.push(program)
  return program
}

async function measure({ name, port, child, prepare }: Contender, requests: number): Promise<Row> {
  const pids = [child.pid ?? 0]
  prepare?.()
  const before = readUsage(pids).cpuS
  const result = await runLoad({ port, path: PATH, requests, connections: CONNECTIONS })
  // Records are handed over a moment after the answers.
  await sleep(300)
  const { cpuS, rssBytes } = readUsage(pids)
  return { name, ...result, cpuUs: ((cpuS - before) / requests) * 1e6, rssMiB: rssBytes / 2 ** 20 }
}

/** @throws where a text is no number of requests or rounds: a load without one would never end */
function parseCount(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text)
  throw new Error(`Cannot read "${text}": expected [REQUESTS] [ROUNDS] [ENTRY…], whole numbers from 1 on`)
}

async function compare(contenders: readonly Contender[], requests: number, rounds: number): Promise<readonly Row[]> {
  // Until their hot paths are compiled.
  for (const contender of contenders) await measure(contender, 2 * requests)
  const rows: Row[] = []
  for (let round = 0; round < rounds; round += 1)
    for (const contender of contenders) rows.push(await measure(contender, requests))
  return rows
}

/** `base`: with whose CPU time the others are compared. */
function print(rows: readonly Row[], base = ''): void {
  const median = (name: string, key: Exclude<keyof Row, 'name'>): number =>
    toMedian(rows.filter(row => row.name === name).map(row => row[key]))
  console.log(
    '| | CPU us/req | ratio | p50 ms | p99 ms | requests/s | errors | RSS MiB |\n|---|---|---|---|---|---|---|---|',
  )
  for (const name of new Set(rows.map(row => row.name))) {
    const show = (key: Exclude<keyof Row, 'name'>, digits: number): string => median(name, key).toFixed(digits)
    const ratio = base === '' ? '' : (median(name, 'cpuUs') / median(base, 'cpuUs')).toFixed(2)
    const errors = rows.reduce((sum, row) => sum + (row.name === name ? row.errors : 0), 0)
    const figures = [show('cpuUs', 1), ratio, show('p50Ms', 2), show('p99Ms', 2), show('perSecond', 0), errors]
    console.log(`| ${name} | ${figures.join(' | ')} | ${show('rssMiB', 0)} |`)
  }
}

async function main(requests: number, rounds: number, entries: readonly string[]): Promise<void> {
  const [a, b, control] = [own(await startUpstream()), own(await startUpstream()), own(await startUpstream())]
  const proxies = (await startProxies({ folder, champion: a.port, challenger: b.port })).map(own)
  const contenders: Contender[] = [{ ...a, name: 'upstream directly' }, ...proxies]
  for (const entry of entries) {
    const variants = [
      { name: 'a', role: 'champion', weight: 0.9, port: a.port },
      { name: 'b', role: 'split', weight: 0.1, port: b.port },
    ] as const
    const gateway = own(await startGateway(entry, folder, control, variants))
    contenders.push({ ...gateway, name: `gateway, sticky, recording: ${entry}` })
  }
  print(await compare(contenders, requests, rounds), proxies[0]?.name)
  for (const { child } of contenders.slice(1)) child.kill()
  const shadow = own(await startUpstream())
  const variants = [
    { name: 'a', role: 'champion', weight: 1, port: a.port },
    { name: 'b', role: 'shadow', weight: 0, port: shadow.port },
  ] as const
  const gateway = own(await startGateway(entries[0] ?? '', folder, control, variants))
  const running = {
    ...gateway,
    name: 'gateway with a shadow that answers',
    prepare: () => shadow.child.kill('SIGCONT'),
  }
  const stopped = { ...gateway, name: 'the same, the shadow stopped', prepare: () => shadow.child.kill('SIGSTOP') }
  print(await compare([running, stopped], requests, rounds), running.name)
}

try {
  const [requests = '20000', rounds = '3', ...others] = process.argv.slice(2)
  const entry = join(import.meta.dirname, '../../src/route/main.ts')
  console.log(`load ${loadavg()[0]?.toFixed(1)} before`)
  await main(parseCount(requests), parseCount(rounds), [entry, ...others])
  console.log(`load ${loadavg()[0]?.toFixed(1)} after`)
} finally {
  for (const { child } of programs) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}
