import { join, resolve } from 'node:path'
import { pino } from 'pino'
import { readProject, toStatePaths } from '../config/index.ts'
import { RegattaError, toErrorText, UsageError } from '../core/errors.ts'
import { openKube } from '../deploy/index.ts'
import { openLayout } from '../oci/index.ts'
import { startClusterControl } from './cluster.node.ts'
import { type Flags, parseFlags } from './flags.ts'
import { startLocalControl } from './local.node.ts'
import type { Logger } from './logger.ts'

/*
 * The process of a control of its own: with target local what `regatta up` runs, without the command line, with the entries
 * that lie beside this one; with target kubernetes what runs in a pod. It ends with 0 after SIGTERM or SIGINT, 1 where it
 * failed, 2 where it is used wrongly.
 */

/** Takes the token out of the environment: no child inherits it. */
function takeToken(): string | undefined {
  const token = process.env['REGATTA_TOKEN']
  delete process.env['REGATTA_TOKEN']
  return token
}

/** An entry as it lies beside this one: a source or a bundle. */
function toCommand(source: string, bundle: string): readonly string[] {
  const isSource = import.meta.filename.endsWith('.ts')
  return [process.execPath, join(import.meta.dirname, isSource ? source : bundle)]
}

async function main(): Promise<number> {
  const logger = pino({ base: { process: 'control' } })
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())
  try {
    const flags = parseFlags(process.argv.slice(2), takeToken())
    await using control = await START[flags.target](flags, logger, stop.signal)
    logger.info({ url: control.url }, 'Listening')
    if (!stop.signal.aborted) await new Promise(resolve => stop.signal.addEventListener('abort', resolve))
  } catch (error) {
    if (stop.signal.aborted) return 0
    const known = error instanceof RegattaError ? error : undefined
    logger.error({ code: known?.code ?? 'CONTROL', fix: known?.fix }, toErrorText(error))
    return error instanceof UsageError ? 2 : 1
  }
  logger.info({}, 'Stopped')
  return 0
}

type Running = AsyncDisposable & { readonly url: string }

const START = { local: startLocal, kubernetes: startInCluster } as const satisfies Record<Flags['target'], unknown>

async function startLocal(flags: Flags, logger: Logger, signal: AbortSignal): Promise<Running> {
  const project = await readProject(flags.project, process.env)
  const paths = toStatePaths(resolve(flags.state))
  const layout = await openLayout(paths.layout)
  const commands = {
    server: toCommand('../serve/main.ts', 'server.js'),
    gateway: toCommand('../route/main.ts', 'gateway.js'),
  }
  const adminToken = flags.token
  const control = await startLocalControl(
    { project, paths, logger, adminToken, clock: Date.now, layout, commands },
    signal,
  )
  return { url: control.record.controlUrl, [Symbol.asyncDispose]: () => control[Symbol.asyncDispose]() }
}

async function startInCluster(flags: Flags, logger: Logger, signal: AbortSignal): Promise<Running> {
  const project = await readProject(flags.project, process.env)
  const paths = toStatePaths(resolve(flags.state))
  const layout = await openLayout(paths.layout)
  const kube = await openKube({ context: undefined, namespace: flags.namespace })
  const { port, token: adminToken } = flags
  return await startClusterControl({ project, paths, layout, kube, port, adminToken, clock: Date.now, logger }, signal)
}

process.exitCode = await main()
