import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseDigest, parseVariantName } from '../../core/brands.ts'
import type { Capture, Role, Routes } from '../../core/wire/routes.ts'
import { type Gateway, type GatewayOptions, startGateway } from '../index.ts'

/** A gateway of a test, its folder and what it logged. Disposal stops it gently. */
export interface TestGateway extends Gateway, AsyncDisposable {
  readonly folder: string
  readonly log: readonly string[]
  stop(): Promise<void>
  predict(
    headers?: Readonly<Record<string, string>>,
    path?: string,
    body?: string | Uint8Array<ArrayBuffer>,
  ): Promise<Reply>
  metrics(): Promise<string>
}

/** One answer, read. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** How a test's gateway starts. */
export interface TestGatewayOptions extends Partial<Omit<GatewayOptions, 'logger'>> {
  /** Written to the file of routes. */
  readonly routes?: Routes | string
  /** Where routes and spool lie; it is kept then. */
  readonly folder?: string
}

/** Starts a gateway on a free port, with short times; control is away unless its URL is given. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const { routes, folder = await mkdtemp(join(tmpdir(), 'regatta-route-')), limits, ...rest } = options
  const routesFile = join(folder, 'routes.json')
  if (routes !== undefined) await writeFile(routesFile, typeof routes === 'string' ? routes : JSON.stringify(routes))
  const log: string[] = []
  const write = (detail: unknown, text?: unknown): void => {
    log.push(`${String(text)} ${JSON.stringify(detail)}`)
  }
  const stop = new AbortController()
  const gateway = await startGateway(
    {
      host: '127.0.0.1',
      port: 0,
      grpcPort: 0,
      // The discard port: nothing listens there.
      controlUrl: 'http://127.0.0.1:9',
      token: 'secret-token',
      routesFile,
      spoolFile: join(folder, 'spool.ndjson'),
      name: 'gateway-1',
      logger: { info: write, warn: write, error: write },
      limits: { flushEveryMs: 10, maxBackOffMs: 100, drainMs: 20_000, flushMs: 20_000, ...limits },
      ...rest,
    },
    stop.signal,
  )
  if (routes !== undefined && typeof routes !== 'string') await until(() => log.some(line => line.startsWith('Routes')))
  const stopGently = async (): Promise<void> => {
    stop.abort()
    await gateway.closed
  }
  return {
    ...gateway,
    folder,
    log,
    stop: stopGently,
    predict: async (headers = {}, path = '/v1/models/m:predict', body = '{"instances":[[1]]}') =>
      await ask(`${gateway.url}${path}`, { method: 'POST', headers, body }),
    metrics: async () => (await ask(`${gateway.url}/metrics`)).text,
    async [Symbol.asyncDispose]() {
      await stopGently()
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Asks and reads the whole answer. */
export async function ask(url: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url, init)
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** A variant of a test's routes: its name, what it is for and where its replicas are. */
export interface TestVariant {
  readonly id: number
  readonly name: string
  readonly role: Role
  readonly urls: readonly string[]
  /** Of the same replicas; one without is HTTP alone. */
  readonly grpcUrls?: readonly string[]
  /** @default 1 for a champion, else 0 */
  readonly weight?: number
}

/** Makes a document of routes of model `m`. */
export function toRoutes(variants: readonly TestVariant[], more: { epoch?: number; capture?: Capture } = {}): Routes {
  return {
    schema: 'regatta/routes/v1',
    deployment: 'm',
    epoch: more.epoch ?? 1,
    capture: more.capture ?? { prediction: '[0]' },
    variants: variants.map(({ id, name, role, urls, grpcUrls = [], weight }) => ({
      id,
      name: parseVariantName(name),
      version: id,
      digest: parseDigest(`sha256:${String(id).padStart(64, '0')}`),
      role,
      weight: weight ?? (role === 'champion' ? 1 : 0),
      replicas: urls.map((url, index) => ({
        name: `${name}-${index + 1}`,
        url,
        ...(grpcUrls[index] === undefined ? {} : { grpcUrl: grpcUrls[index] }),
      })),
    })),
  }
}

const PATIENCE_MS = 60_000

/** Waits until something is so; fails after a minute. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`Not within a minute: ${isSo}`)
    await sleep(5)
  }
}

/** Waits until a text is as wanted; fails after a minute with the last one. */
export async function untilText(read: () => Promise<string> | string, wanted: RegExp): Promise<void> {
  let text = ''
  await until(async () => {
    text = await read()
    return wanted.test(text)
  }).catch(() => {
    throw new Error(`Wanted ${wanted} within a minute, found: ${text}`)
  })
}
