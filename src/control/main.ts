import { join, resolve } from 'node:path'
import { pino } from 'pino'
import { readProject, toStatePaths } from '../config/index.ts'
import { RegattaError, toErrorText, UsageError } from '../core/errors.ts'
import { openKube } from '../deploy/index.ts'
import { openLayout } from '../oci/index.ts'
import { startClusterControl } from './cluster.node.ts'
import { type Flags, parseFlags } from './flags.ts'
import { untilLeading } from './leading.node.ts'
import { startLocalControl } from './local.node.ts'
import type { Logger } from './logger.ts'

/*
 * The process of a control of its own: with target local what `regatta up` runs, without the command line, with the entries
 * that lie beside this one; with target kubernetes what runs in a pod. It ends with 0 after SIGTERM or SIGINT, 1 where it
 * failed, 2 where it is used wrongly.
 */

/** Takes a secret out of the environment: no child inherits it. */
function take(name: 'REGATTA_TOKEN' | 'DATABASE_URL'): string | undefined {
  const value = process.env[name]
  delete process.env[name]
  return value === '' && name === 'DATABASE_URL' ? undefined : value
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
    const flags = parseFlags(process.argv.slice(2), take('REGATTA_TOKEN'))
    await using control = await START[flags.target](flags, logger, stop.signal)
    logger.info({ url: control.url }, 'Listening')
    const end = AbortSignal.any([stop.signal, ...(control.lost === undefined ? [] : [control.lost])])
    if (!end.aborted) await new Promise(resolve => end.addEventListener('abort', resolve))
    control.lost?.throwIfAborted()
  } catch (error) {
    if (stop.signal.aborted) return 0
    const known = error instanceof RegattaError ? error : undefined
    logger.error({ code: known?.code ?? 'CONTROL', fix: known?.fix }, toErrorText(error))
    return error instanceof UsageError ? 2 : 1
  }
  logger.info({}, 'Stopped')
  return 0
}

interface Running extends AsyncDisposable {
  readonly url: string
  /** Aborted when another may have taken its place. */
  readonly lost?: AbortSignal
}

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
    {
      project,
      paths,
      logger,
      adminToken,
      env: process.env,
      databaseUrl: take('DATABASE_URL'),
      clock: Date.now,
      layout,
      commands,
    },
    signal,
  )
  return { url: control.record.controlUrl, [Symbol.asyncDispose]: () => control[Symbol.asyncDispose]() }
}

async function startInCluster(flags: Flags, logger: Logger, signal: AbortSignal): Promise<Running> {
  const project = await readProject(flags.project, process.env)
  const paths = toStatePaths(resolve(flags.state))
  const layout = await openLayout(paths.layout)
  const kube = await openKube({ context: undefined, namespace: flags.namespace })
  const { one, port, token: adminToken } = flags
  const databaseUrl = take('DATABASE_URL')
  await using stack = new AsyncDisposableStack()
  const lease = one && stack.use(await untilLeading({ kube, deployment: project.name, one, port, logger }, signal))
  const lost = lease?.lost
  const control = stack.use(
    await startClusterControl(
      { project, paths, layout, kube, port, adminToken, databaseUrl, env: process.env, clock: Date.now, logger },
      AbortSignal.any([signal, ...(lost === undefined ? [] : [lost])]),
    ),
  )
  const running = stack.move()
  return { url: control.url, ...(lost && { lost }), [Symbol.asyncDispose]: () => running.disposeAsync() }
}

process.exitCode = await main()
