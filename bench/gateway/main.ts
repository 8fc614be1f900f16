/*
 * What the gateway costs: CPU time per request and added latency, over a server without a model, beside the same
 * server asked directly and, where there is one in PATH, nginx as a weighted proxy. Rounds are interleaved.
 *
 *     node_modules/.bin/node bench/gateway/main.ts [REQUESTS] [ROUNDS] [ENTRY…]
 *
 * Further entries are other builds of the gateway (`src/route/main.ts` of another checkout) to compare with.
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

const root = mkdtempSync(join(tmpdir(), 'regatta-bench-'))
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

async function startGateway(entry: string, servers: readonly Contender[]): Promise<Contender> {
  const [champion, challenger, control] = servers.map(server => server.port)
  const folder = mkdtempSync(join(root, 'gateway-'))
  writeFileSync(join(folder, 'routes.json'), JSON.stringify(toRoutes(champion ?? 0, challenger ?? 0)))
  const args = [
    ...['--http-port', '0', '--grpc-port', '0', '--control-url', `http://127.0.0.1:${control}`],
    ...['--routes-file', join(folder, 'routes.json'), '--spool', join(folder, 'spool.ndjson')],
  ]
  const execArgv = (process.env['GATEWAY_NODE_ARGS'] ?? '').split(' ').filter(Boolean)
  const child = fork(entry, args, {
    execArgv,
    env: { ...process.env, REGATTA_TOKEN: 'bench' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  children.push(child)
  const [{ port }] = await once(child, 'message')
  await sleep(500)
  return { name: `gateway, sticky, recording: ${entry}`, port: Number(port), pids: [child.pid ?? 0] }
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
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${root}/${name};`)
  const text = `worker_processes 1; daemon off; master_process off; pid ${root}/nginx.pid; error_log ${root}/nginx.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 10000000; ${temp.join(' ')}
  upstream u { server 127.0.0.1:${champion} weight=9; server 127.0.0.1:${challenger} weight=1; keepalive 64; keepalive_requests 10000000; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; } } }`
  const file = join(root, 'nginx.conf')
  writeFileSync(file, text)
  const child = spawn('nginx', ['-c', file, '-e', join(root, 'nginx.log')], { stdio: 'ignore' })
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

async function main(requests: number, rounds: number, entries: readonly string[]): Promise<void> {
  const servers = [await startUpstream(), await startUpstream(), await startUpstream()] as const
  const nginx = await startNginx(servers[0].port, servers[1].port)
  const contenders = [servers[0], ...(nginx === undefined ? [] : [nginx])]
  for (const entry of entries) contenders.push(await startGateway(entry, servers))
  // Until their hot paths are compiled.
  for (const contender of contenders) await measure(contender, 2 * requests)
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
  const own = join(import.meta.dirname, '../../src/route/main.ts')
  const [requests = '20000', rounds = '3', ...others] = process.argv.slice(2)
  await main(Number(requests), Number(rounds), [own, ...others])
} finally {
  for (const child of children) child.kill()
  rmSync(root, { recursive: true, force: true })
}
