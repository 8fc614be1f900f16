import { join } from 'node:path'
import { pino } from 'pino'
import { readProject, toStatePaths } from '../config/index.ts'
import { RegattaError, toErrorText, UsageError } from '../core/errors.ts'
import { openLayout } from '../oci/index.ts'
import { parseFlags } from './flags.ts'
import { startLocalControl } from './local.node.ts'

/*
 * The process of a control of its own, such as that of a container: what `regatta up` runs, without the command line.
 * It works in a project's folder and runs the gateway and the replicas with the entries that lie beside this one. It
 * ends with 0 after SIGTERM or SIGINT, 1 where it failed, 2 where it is used wrongly.
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
    const project = await readProject(flags.project, process.env)
    const paths = toStatePaths(project.folder)
    await using control = await startLocalControl(
      {
        ...{ project, paths, logger, adminToken: flags.token, clock: Date.now },
        layout: await openLayout(paths.layout),
        commands: {
          server: toCommand('../serve/main.ts', 'server.js'),
          gateway: toCommand('../route/main.ts', 'gateway.js'),
        },
      },
      stop.signal,
    )
    logger.info({ url: control.record.controlUrl }, 'Listening')
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

process.exitCode = await main()
