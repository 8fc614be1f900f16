import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GrpcError } from '../../src/core/grpc/grpc.ts'
import { startTestGateway, toRoutes } from '../../src/route/testing/gateway.ts'
import { INFER_STREAM, startGrpcServer, streamingGrpc } from '../../src/route/testing/grpc-upstream.ts'
import { parseModelInferRequest, toModelInferResponse } from '../../src/tensor/index.ts'
import { toStreamAnswer } from '../../src/tensor/v2-stream.ts'
import { checkApi } from './api.ts'
import type { Asked } from './client.ts'
import { openMetricsCheck } from './metrics.ts'
import { CLIENTS, type ClientName, type Parts, ROOT } from './parts.ts'
import { checkDocumentedPaths } from './paths.ts'

/** Something that listens and is asked. */
export interface Place extends AsyncDisposable {
  readonly name: string
  /** `HOST:PORT` of each. */
  readonly http: string
  readonly grpc: string
  /** The folder of the models that it serves. */
  readonly models: string
  /** Where it serves one model of the table alone. */
  readonly only?: string
  /** The clients that ask it; the others do not fit it. */
  readonly clients: readonly ClientName[]
  /** Checks that need no client. */
  readonly check?: () => Promise<Asked>
}

const OF_ANY_MODEL = CLIENTS.filter(name => name !== 'decoupled')

const REGATTA = join(ROOT, 'bin', 'regatta.ts')

/** What is told of what was started. */
interface Started {
  readonly url: string
  readonly grpcUrl: string
}

/** The checks of a place one after another. */
async function runAll(...checks: readonly (() => Promise<Asked>)[]): Promise<Asked> {
  const counts = { passed: 0, failed: 0 }
  for (const check of checks) {
    const { passed, failed } = await check()
    counts.passed += passed
    counts.failed += failed
  }
  return counts
}

/** `regatta serve` with the whole table. */
export async function openServer({ models }: Parts): Promise<Place> {
  const args = ['serve', '--json', '--allow-model-control', '--model-config-file', join(models, 'models.config')]
  const child = spawn(process.execPath, [REGATTA, ...args, '--http-port', '0', '--grpc-port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = new Promise<number | null>(resolve => child.once('close', resolve))
  const line = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.includes('\n')) resolve(text)
    })
    void closed.then(code => reject(new Error(`regatta serve ended with ${code} before it was ready`)))
  })
  const { url, grpcUrl } = JSON.parse(line) as Started
  return {
    name: 'server',
    clients: OF_ANY_MODEL,
    http: toAddress(url),
    grpc: toAddress(grpcUrl),
    models,
    check: () => runAll(openMetricsCheck(url), () => checkDocumentedPaths('server', url, 'mlp')),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await closed
    },
  }
}

/** A deployment of one model of the table: two replicas behind a gateway. */
export async function openGateway({ deployed, folder }: Parts): Promise<Place> {
  const project = join(folder, 'project')
  mkdirSync(join(project, 'model'), { recursive: true })
  cpSync(deployed.file, join(project, 'model', 'model.onnx'))
  const yaml = `name: ${deployed.name}
train: { run: 'true' }
serve: { replicas: 2 }
race: { prediction: '[0]' }
targets: { local: { httpPort: 0, grpcPort: 0, controlPort: 0 } }
`
  writeFileSync(join(project, 'regatta.yaml'), yaml)
  runRegatta(project, 'pack', '--model', 'model')
  runRegatta(project, 'deploy')
  const status = JSON.parse(runRegatta(project, 'status', '--json')) as { gateway: Started }
  return {
    name: 'gateway',
    clients: OF_ANY_MODEL,
    http: toAddress(status.gateway.url),
    grpc: toAddress(status.gateway.grpcUrl),
    models: deployed.models,
    only: deployed.name,
    check: () =>
      runAll(
        openMetricsCheck(status.gateway.url),
        () => checkDocumentedPaths('gateway', status.gateway.url, deployed.name),
        () => checkApi(readControlUrl(project), join(project, '.regatta', 'token')),
      ),
    async [Symbol.asyncDispose]() {
      runRegatta(project, 'down')
    },
  }
}

/** A gateway before a replica of a decoupled model, as Triton has them: one row of x is answered x times. */
export async function openDecoupled({ models }: Parts): Promise<Place> {
  await using opening = new AsyncDisposableStack()
  const replica = opening.use(await startGrpcServer(streamingGrpc(countTo), [INFER_STREAM]))
  const variant = { id: 1, name: 'a', role: 'champion', urls: ['http://127.0.0.1:9'], grpcUrls: [replica.url] } as const
  const gateway = opening.use(await startTestGateway({ routes: toRoutes([variant]) }))
  const open = opening.move()
  return {
    name: 'gateway of a decoupled model',
    clients: ['decoupled'],
    http: `127.0.0.1:${gateway.port}`,
    grpc: `127.0.0.1:${gateway.grpcPort}`,
    models,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

/** Answers 0, 1, … and, where the request wants it, that there are no more; refuses to count to less than nothing. */
async function* countTo(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const { inputs, id, parameters } = parseModelInferRequest(bytes)
  const wanted = Number(inputs[0]?.tensor.data[0])
  if (wanted < 0) throw new GrpcError('INVALID_ARGUMENT', `Cannot count to ${wanted}`)
  const toAnswer = (change: { outputs: ReturnType<typeof toOutput>[]; parameters?: Map<string, boolean> }) =>
    toStreamAnswer(
      toModelInferResponse({ modelName: 'm', modelVersion: '1', id, isRaw: true, parameters: new Map(), ...change }),
    )
  for (let at = 0; at < wanted; at++) yield toAnswer({ outputs: [toOutput(at)] })
  if (parameters.get('triton_enable_empty_final_response') === true)
    yield toAnswer({ outputs: [], parameters: new Map([['triton_final_response', true]]) })
}

function toOutput(value: number) {
  const tensor = { dtype: 'float32', shape: [1, 1], data: Float32Array.of(value) } as const
  return { name: 'y', tensor, parameters: new Map() }
}

function readControlUrl(project: string): string {
  const record = JSON.parse(readFileSync(join(project, '.regatta', 'local', 'up.json'), 'utf8'))
  return (record as { controlUrl: string }).controlUrl
}

function runRegatta(cwd: string, ...args: readonly string[]): string {
  const { status, stderr, stdout } = spawnSync(process.execPath, [REGATTA, ...args], { cwd, encoding: 'utf8' })
  if (status === 0) return stdout
  throw new Error(`regatta ${args.join(' ')} in ${dirname(cwd)} ended with ${status}: ${stderr}`)
}

function toAddress(url: string): string {
  return new URL(url).host
}
