import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A server of the bench as a process of its own. */
export interface Program {
  readonly port: number
  /** Of a gateway. */
  readonly grpcPort?: number
  readonly child: ChildProcess
}

/** A variant of a gateway's routes, with one replica. */
export interface BenchVariant {
  readonly name: string
  readonly role: 'champion' | 'split' | 'shadow'
  readonly weight: number
  readonly port: number
  readonly grpcPort?: number
}

/** Starts a server without a model. */
export const startUpstream = (): Promise<Program> => start('upstream.ts')

/** Starts one that serves gRPC alone. */
export const startGrpcUpstream = (): Promise<Program> => start('grpc-upstream.ts')

async function start(file: string): Promise<Program> {
  const child = fork(join(import.meta.dirname, file), { execArgv: [] })
  return { child, port: Number(await firstMessage(child)) }
}

/** Starts a gateway; its files go below `folder`, and `GATEWAY_NODE_ARGS` are arguments for its Node. */
export async function startGateway(
  entry: string,
  folder: string,
  control: Program,
  variants: readonly BenchVariant[],
): Promise<Program> {
  const own = mkdtempSync(join(folder, 'gateway-'))
  writeFileSync(join(own, 'routes.json'), JSON.stringify(toRoutes(variants)))
  const args = [
    ...['--http-port', '0', '--grpc-port', '0', '--control-url', `http://127.0.0.1:${control.port}`],
    ...['--routes-file', join(own, 'routes.json'), '--spool', join(own, 'spool.ndjson')],
  ]
  const child = fork(entry, args, {
    execArgv: (process.env['GATEWAY_NODE_ARGS'] ?? '').split(' ').filter(Boolean),
    env: { ...process.env, REGATTA_TOKEN: 'bench' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const { port, grpcPort } = Object(await firstMessage(child))
  await sleep(500)
  return { child, port: Number(port), grpcPort: Number(grpcPort) }
}

async function firstMessage(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${child.spawnfile} ended with ${code} before it listened`)
  })
  const [message] = await Promise.race([once(child, 'message'), ended])
  return message
}

function toRoutes(variants: readonly BenchVariant[]): object {
  return {
    ...{ schema: 'regatta/routes/v1', deployment: 'm', epoch: 1, capture: { prediction: '[0]' } },
    variants: variants.map((variant, index) => ({
      ...{ id: index + 1, name: variant.name, version: index + 1 },
      digest: `sha256:${String(index + 1).padStart(64, '0')}`,
      ...{ role: variant.role, weight: variant.weight, replicas: [toReplica(variant)] },
    })),
  }
}

function toReplica({ name, port, grpcPort }: BenchVariant): object {
  const grpc = grpcPort === undefined ? {} : { grpcUrl: `http://127.0.0.1:${grpcPort}` }
  return { name: `${name}-1`, url: `http://127.0.0.1:${port}`, ...grpc }
}
