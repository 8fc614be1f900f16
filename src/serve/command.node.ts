import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { toErrorText, UsageError } from '../core/errors.ts'
import { parseFlags, parseSecurityFlags } from './flags.ts'
import type { ServerOptions } from './options.ts'
import { readSecurity } from './security.node.ts'
import { parseTfsFlags, toTfsUsage } from './tfs/flags.ts'
import { type TextFile, toTfsOptions } from './tfs/options.ts'
import { SERVER_VERSION } from './version.ts'

/** The name under which the server takes TensorFlow Serving's flags. */
const TFS_NAME = 'tensorflow_model_server'

/** What a command line asks for. */
export type Command =
  /** `notes`: what the log should say of it. */
  | { readonly kind: 'serve'; readonly options: ServerOptions; readonly notes: readonly string[] }
  | { readonly kind: 'print'; readonly text: string }

/** Reads the command line of the server's process, by the name of its program. @throws USAGE, TEXT_PROTO */
export async function readCommand(
  [program = '', ...parameters]: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Command> {
  if (basename(program) !== TFS_NAME) {
    const security = await readSecurity(parseSecurityFlags(parameters), env)
    return { kind: 'serve', options: { ...parseFlags(parameters), ...security }, notes: [] }
  }
  if (parameters.includes('--help')) return { kind: 'print', text: toTfsUsage() }
  const { flags, notes } = parseTfsFlags(parameters)
  if (flags.version === true) return { kind: 'print', text: `TensorFlow ModelServer: regatta ${SERVER_VERSION}\n` }
  const options = toTfsOptions({
    flags,
    env,
    resolve,
    batchingFile: await readTextFile(flags.batching_parameters_file),
    monitoringFile: await readTextFile(flags.monitoring_config_file),
    sslFile: await readTextFile(flags.ssl_config_file),
  })
  const { token } = await readSecurity({}, env)
  const warnings = toWarnings(options, token)
  return {
    kind: 'serve',
    options: { ...options, ...(token !== undefined && { token }) },
    notes: [...warnings, ...notes],
  }
}

/** What TensorFlow Serving does, too, and whoever reads the log should know. */
function toWarnings({ host, tls }: ServerOptions, token: string | undefined): readonly string[] {
  const isOpen = host !== '127.0.0.1' && token === undefined
  return [
    ...(isOpen ? [`listens on ${host}, as TensorFlow Serving does: whoever reaches this machine can ask`] : []),
    ...(tls?.grpc === undefined ? [] : ['--ssl_config_file is for the port of gRPC: REST is not encrypted']),
  ]
}

async function readTextFile(path: string | undefined): Promise<TextFile | undefined> {
  if (path === undefined || path === '') return undefined
  try {
    return { path, text: await readFile(path, 'utf8') }
  } catch (error) {
    throw new UsageError('USAGE', `Cannot read a file that a flag names: ${toErrorText(error)}`, { where: path })
  }
}
