import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startControl, type TestControlOptions } from '../../src/route/testing/control.ts'
import { toRoutes } from '../../src/route/testing/gateway.ts'
import { sendJson } from '../../src/route/testing/upstream.ts'
import { toIdentity, toMlp } from '../../src/serve/testing/models.ts'
import { toModel } from '../../src/serve/testing/onnx-model.ts'

import { MAX_HEAP_MIB } from './resources.ts'

const SRC = resolve(import.meta.dirname, '..', '..', 'src')
const TOKEN = 'fuzz-token'

/** One process under test. */
export interface Program {
  readonly name: string
  readonly child: ChildProcess
  /** Lines that it logged as errors: none is expected, whatever it is sent. */
  readonly errors: readonly string[]
}

/** Something that listens and is asked. */
export interface Place {
  readonly name: 'server' | 'gateway'
  readonly http: number
  readonly grpc: number
}

/** A server of several models; a gateway before a server of one; and what they stand on. */
export interface Places extends AsyncDisposable {
  readonly places: readonly Place[]
  readonly programs: readonly Program[]
}

/** y = x, n and s as they come: a model of several inputs and types. */
const toMixed = (): Uint8Array => {
  const values = [
    { from: 'x', to: 'y', dtype: 'float32', shape: ['batch', 2] },
    { from: 'n', to: 'n2', dtype: 'int64', shape: ['batch'] },
    { from: 's', to: 's2', dtype: 'string', shape: ['batch'] },
  ] as const
  return toModel({
    nodes: values.map(({ from, to }) => ({ operator: 'Identity', inputs: [from], outputs: [to] })),
    inputs: values.map(({ from, dtype, shape }) => ({ name: from, dtype, shape })),
    outputs: values.map(({ to, dtype, shape }) => ({ name: to, dtype, shape })),
  })
}

const MODELS = {
  m: toMlp,
  texts: () => toIdentity('string', ['batch']),
  ints: () => toIdentity('int64', ['batch']),
  mixed: toMixed,
} as const

/** Starts all of them. */
export async function openPlaces(): Promise<Places> {
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'regatta-fuzz-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const config = await writeModels(folder)
  const server = opening.use(await startProgram('server', 'serve/main.ts', ['--model-config-file', config]))
  const single = ['--model-name', 'm', '--model-base-path', join(folder, 'm')]
  const replica = opening.use(await startProgram('replica', 'serve/main.ts', single))
  const control = opening.use(await startControl({ token: TOKEN, onBatch: forget }))
  const routesFile = join(folder, 'routes.json')
  const urls = { urls: [toUrl(replica.http)], grpcUrls: [toUrl(replica.grpc)] }
  await writeFile(routesFile, JSON.stringify(toRoutes([{ id: 1, name: 'a', role: 'champion', ...urls }])))
  const flags = ['--control-url', control.url, '--routes-file', routesFile, '--spool', join(folder, 'spool.ndjson')]
  const gateway = opening.use(await startProgram('gateway', 'route/main.ts', flags))
  await untilReady(gateway.http)
  const open = opening.move()
  return {
    places: [
      { name: 'server', http: server.http, grpc: server.grpc },
      { name: 'gateway', http: gateway.http, grpc: gateway.grpc },
    ],
    programs: [server, replica, gateway],
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

const toUrl = (port: number): string => `http://127.0.0.1:${port}`

/** Control takes every batch of records, and keeps none. */
const forget: NonNullable<TestControlOptions['onBatch']> = (_seen, response) => {
  sendJson(response, 200, { schema: 'regatta/records-stored/v1', added: 0, joined: 0 })
  return true
}

async function writeModels(folder: string): Promise<string> {
  const blocks: string[] = []
  for (const [name, make] of Object.entries(MODELS)) {
    await mkdir(join(folder, name, '1'), { recursive: true })
    await writeFile(join(folder, name, '1', 'model.onnx'), make())
    const label = 'version_labels { key: "stable" value: 1 }'
    blocks.push(`config { name: "${name}" base_path: "${join(folder, name)}" model_platform: "onnx" ${label} }`)
  }
  const path = join(folder, 'models.config')
  await writeFile(path, `model_config_list { ${blocks.join('\n')} }`)
  return path
}

async function startProgram(name: string, entry: string, flags: readonly string[]) {
  const child = fork(join(SRC, entry), [...flags, '--http-port', '0', '--grpc-port', '0'], {
    silent: true,
    execArgv: [`--max-old-space-size=${MAX_HEAP_MIB}`],
    env: { ...process.env, REGATTA_TOKEN: TOKEN, ORT_DISABLE_TELEMETRY: '1' },
  })
  const errors: string[] = []
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (text + chunk).split('\n')
      text = lines.pop() ?? ''
      // pino's levels of errors, and whatever is no log at all.
      for (const line of lines) if (!line.startsWith('{"level":') || /^{"level":[56]0/.test(line)) errors.push(line)
    })
  const ports = await new Promise<{ readonly port: number; readonly grpcPort: number }>((resolve, reject) => {
    let listening: { port: number; grpcPort: number } | undefined
    child.on('message', (message: { kind: string; port: number; grpcPort: number }) => {
      if (message.kind === 'listening') listening = message
      if (message.kind === 'ready' && listening !== undefined) resolve(listening)
    })
    child.once('exit', code => reject(new Error(`${name} ended with ${code}: ${errors.join('\n')}${text}`)))
  })
  return {
    name,
    child,
    errors,
    http: ports.port,
    grpc: ports.grpcPort,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function untilReady(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const answer = await fetch(`${toUrl(port)}/readyz`)
    if (answer.status === 200) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error('The gateway is not ready after 10 s')
}
