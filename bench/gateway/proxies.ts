import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findFreePort } from '../../src/core/free-port.node.ts'
import { aptInstall } from '../../tools/images/apt.ts'

/** A proxy of others, and the process whose time counts. */
export interface Proxy {
  readonly name: string
  readonly port: number
  readonly child: ChildProcess
}

/** What proxies stand before, and where their files go. */
export interface ProxySetting {
  readonly folder: string
  /** Ports of the servers, for nine requests of ten and for the tenth. */
  readonly champion: number
  readonly challenger: number
}

/** Starts nginx and haproxy, one worker each; those that are not there and cannot be installed are left out. */
export async function startProxies(setting: ProxySetting): Promise<readonly Proxy[]> {
  const started = [await startNginx(setting), await startHaproxy(setting)]
  return started.filter(proxy => proxy !== undefined)
}

/** A weighted group of servers, kept alive. */
async function startNginx({ folder, champion, challenger }: ProxySetting): Promise<Proxy | undefined> {
  const port = await findFreePort()
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${folder}/${name};`)
  const text = `worker_processes 1; daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 10000000; ${temp.join(' ')}
  upstream u { server 127.0.0.1:${champion} weight=9; server 127.0.0.1:${challenger} weight=1; keepalive 64; keepalive_requests 10000000; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; } } }`
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, text)
  const child = await start('nginx', 'nginx-light', ['-c', file, '-e', join(folder, 'nginx.log')])
  return child && { name: 'nginx, weighted', port, child }
}

/** Sticky by the same header as the gateway, weighted. */
async function startHaproxy({ folder, champion, challenger }: ProxySetting): Promise<Proxy | undefined> {
  const port = await findFreePort()
  const text = `global
  nbthread 1
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  balance hdr(x-regatta-entity)
  hash-type consistent
  server a 127.0.0.1:${champion} weight 90
  server b 127.0.0.1:${challenger} weight 10
`
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(file, text)
  const child = await start('haproxy', 'haproxy', ['-f', file, '-db', '-q'])
  return child && { name: 'haproxy, weighted, sticky', port, child }
}

/** Starts a program, from its Debian package where it is not there; undefined where it does not run. */
async function start(program: string, wanted: string, args: readonly string[]): Promise<ChildProcess | undefined> {
  const first = await tryStart(program, args)
  if (first !== undefined) return first
  const installed = aptInstall([wanted])
  if ('problem' in installed) console.error(`Without ${program}: ${installed.problem}`)
  return 'problem' in installed ? undefined : await tryStart(program, args)
}

async function tryStart(program: string, args: readonly string[]): Promise<ChildProcess | undefined> {
  const child = spawn(program, args, { stdio: 'ignore' })
  const ended = await Promise.race([once(child, 'error'), once(child, 'exit'), sleep(500)])
  return ended === undefined ? child : undefined
}
