/*
 * What the gateway costs: CPU time per request and added latency, over a server without a model, beside the same
 * server asked directly and, where there is one in PATH, nginx as a weighted proxy. Rounds are interleaved.
 *
 *     node_modules/.bin/node bench/gateway/main.ts [REQUESTS] [ROUNDS]
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LoadResult, runLoad } from './load.ts'

const PATH = '/v1/models/m:predict'
const CONNECTIONS = 16
/** Kernel ticks of `utime` and `stime` (proc(5)) per second, which Linux fixes for user space. */
const TICKS = 100

interface Contender {
  readonly name: string
  readonly port: number
  /** Processes whose time counts. */
  readonly pids: readonly number[]
}

interface Row extends LoadResult {
  readonly name: string
  readonly cpuUs: number
}

const folder = mkdtempSync(join(tmpdir(), 'regatta-bench-'))
const children: ChildProcess[] = []

function readCpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

async function measure({ name, port, pids }: Contender, requests: number): Promise<Row> {
  const total = (): number => pids.reduce((sum, pid) => sum + readCpuSeconds(pid), 0)
  const before = total()
  const result = await runLoad({ port, path: PATH, requests, connections: CONNECTIONS })
  // Records are handed over a moment after the answers.
  await sleep(300)
  return { name, ...result, cpuUs: ((total() - before) / requests) * 1e6 }
}

async function startUpstream(): Promise<Contender> {
  const child = fork(join(import.meta.dirname, 'upstream.ts'), { execArgv: [] })
  children.push(child)
  const [port] = await once(child, 'message')
  return { name: 'upstream directly', port: Number(port), pids: [child.pid ?? 0] }
}

async function startGateway(champion: number, challenger: number, control: number): Promise<Contender> {
  const routes = toRoutes(champion, challenger)
  writeFileSync(join(folder, 'routes.json'), JSON.stringify(routes))
  const args = [
    ...['--http-port', '0', '--control-url', `http://127.0.0.1:${control}`],
    ...['--routes-file', join(folder, 'routes.json'), '--spool', join(folder, 'spool.ndjson')],
  ]
  const entry = process.env['GATEWAY'] ?? join(import.meta.dirname, '../../src/route/main.ts')
  const execArgv = (process.env['GATEWAY_NODE_ARGS'] ?? '').split(' ').filter(Boolean)
  const child = fork(entry, args, { execArgv, env: { ...process.env, REGATTA_TOKEN: 'bench' }, silent: true })
  children.push(child)
  const [{ port }] = await once(child, 'message')
  await sleep(500)
  return { name: 'gateway, sticky, recording', port: Number(port), pids: [child.pid ?? 0] }
}

function toRoutes(champion: number, challenger: number): object {
  const toVariant = (id: number, name: string, role: string, weight: number, port: number): object => ({
    ...{ id, name, version: id, digest: `sha256:${String(id).padStart(64, '0')}`, role, weight },
    replicas: [{ name: `${name}-1`, url: `http://127.0.0.1:${port}` }],
  })
  const variants = [toVariant(1, 'a', 'champion', 0.9, champion), toVariant(2, 'b', 'split', 0.1, challenger)]
  return { schema: 'regatta/routes/v1', deployment: 'm', epoch: 1, capture: { prediction: '[0]' }, variants }
}

/** One worker and a weighted group of servers, kept alive; undefined where there is no nginx. */
async function startNginx(champion: number, challenger: number): Promise<Contender | undefined> {
  const port = await findFreePort()
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${folder}/${name};`)
  const text = `worker_processes 1; daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 10000000; ${temp.join(' ')}
  upstream u { server 127.0.0.1:${champion} weight=9; server 127.0.0.1:${challenger} weight=1; keepalive 64; keepalive_requests 10000000; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; } } }`
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, text)
  const child = spawn('nginx', ['-c', file, '-e', join(folder, 'nginx.log')], { stdio: 'ignore' })
  children.push(child)
  const failed = await Promise.race([once(child, 'error'), once(child, 'exit'), sleep(500)])
  return failed === undefined ? { name: 'nginx, weighted', port, pids: [child.pid ?? 0] } : undefined
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return address !== null && typeof address === 'object' ? address.port : 0
}

function toMedian(rows: readonly Row[], key: 'cpuUs' | 'p50Ms' | 'p99Ms' | 'perSecond'): number {
  const values = rows.map(row => row[key]).sort((a, b) => a - b)
  return values[Math.floor(values.length / 2)] ?? 0
}

async function main(requests: number, rounds: number): Promise<void> {
  const [a, b, control] = [await startUpstream(), await startUpstream(), await startUpstream()]
  const nginx = await startNginx(a.port, b.port)
  const gateway = await startGateway(a.port, b.port, control.port)
  const contenders = [a, ...(nginx === undefined ? [] : [nginx]), gateway]
  for (const contender of contenders) await measure(contender, Math.ceil(requests / 4))
  const rows: Row[] = []
  for (let round = 0; round < rounds; round += 1)
    for (const contender of contenders) rows.push(await measure(contender, requests))
  console.log('| | CPU us/req | p50 ms | p99 ms | requests/s | errors |\n|---|---|---|---|---|---|')
  for (const { name } of contenders) {
    const own = rows.filter(row => row.name === name)
    const [cpu, p50, p99, perSecond] = (['cpuUs', 'p50Ms', 'p99Ms', 'perSecond'] as const).map(key =>
      toMedian(own, key),
    )
    const errors = own.reduce((sum, row) => sum + row.errors, 0)
    console.log(
      `| ${name} | ${cpu?.toFixed(1)} | ${p50?.toFixed(2)} | ${p99?.toFixed(2)} | ${perSecond?.toFixed(0)} | ${errors} |`,
    )
  }
}

try {
  await main(Number(process.argv[2] ?? 20_000), Number(process.argv[3] ?? 3))
} finally {
  for (const child of children) child.kill()
  rmSync(folder, { recursive: true, force: true })
}
