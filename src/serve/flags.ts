import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { UsageError } from '../core/errors.ts'
import { SERVER_FLAGS, type ServerFlag, type ServerFlagName, toFlagText } from './api.ts'
import { type ServerOptions, toSingleModel } from './options.ts'
import type { SecurityFiles } from './security.node.ts'

/** What stands on a command line, by the names of the flags. */
type Values = Readonly<Partial<Record<ServerFlagName, string | true>>>

/** Options whose flags are whole numbers. */
const NUMBERS = {
  intraOpThreads: 'intraOpThreads',
  maxBodyBytes: 'maxBodyBytes',
  maxInFlight: 'maxInFlight',
  maxWaiting: 'maxWaiting',
  maxRunBytes: 'maxRunBytes',
  engineThreads: 'engineThreads',
  requestTimeoutMs: 'requestTimeoutMs',
  drainMs: 'drainMs',
  maxNumLoadRetries: 'maxLoadRetries',
  loadRetryIntervalMs: 'loadRetryMs',
} as const satisfies Partial<Record<ServerFlagName, keyof ServerOptions>>

/** Reads the command line of a model server; paths are below `cwd`. @throws USAGE (a `UsageError`) */
export function parseFlags(parameters: readonly string[], cwd = ''): ServerOptions {
  const values = parseOrThrow(parameters)
  const numbers = Object.entries(NUMBERS).flatMap(([flag, option]) => {
    const number = parseNumber(values, flag as keyof typeof NUMBERS)
    return number === undefined ? [] : [[option, number] as const]
  })
  const pollMs = parseSeconds(values, 'fileSystemPollWaitSeconds')
  const [maxRows, maxDelayMs] = [parseNumber(values, 'batchMaxRows'), parseNumber(values, 'batchMaxDelayMs')]
  return {
    models: toModels(values, cwd),
    host: toText(values.host) ?? SERVER_FLAGS.host.default,
    httpPort: parsePort(values, 'httpPort'),
    grpcPort: parsePort(values, 'grpcPort'),
    ...Object.fromEntries(numbers),
    batching: { ...(maxRows !== undefined && { maxRows }), ...(maxDelayMs !== undefined && { maxDelayMs }) },
    ...(pollMs !== undefined && { pollMs }),
    ...(values.allowModelControl && { allowModelControl: true }),
    ...(values.cors && { cors: true }),
  }
}

/** Reads of that command line which files protect the server. @throws USAGE (a `UsageError`) */
export function parseSecurityFlags(parameters: readonly string[], cwd = ''): SecurityFiles {
  const values = parseOrThrow(parameters)
  const toPath = (value: string | true | undefined) => (value === undefined ? undefined : resolve(cwd, String(value)))
  const { tlsCert, tlsKey, tlsClientCa, tokenFile } = values
  return {
    tlsCert: toPath(tlsCert),
    tlsKey: toPath(tlsKey),
    tlsClientCa: toPath(tlsClientCa),
    tokenFile: toPath(tokenFile),
  }
}

function toModels(values: Values, cwd: string): ServerOptions['models'] {
  const { modelConfigFile: file, modelBasePath: basePath, modelName: name } = values
  const pollMs = parseSeconds(values, 'modelConfigFilePollWaitSeconds')
  if (file !== undefined) {
    if (basePath !== undefined || name !== undefined) {
      throw new UsageError('USAGE', 'Cannot use --model-config-file with --model-name or --model-base-path: give one')
    }
    return { path: resolve(cwd, String(file)), pollMs: pollMs ?? 0 }
  }
  if (pollMs !== undefined) {
    const flag = toFlagText('modelConfigFilePollWaitSeconds')
    throw new UsageError('USAGE', `Cannot use --${flag} without --model-config-file`)
  }
  if (basePath === undefined) {
    throw new UsageError('USAGE', 'Cannot start without --model-base-path: expected the folder of VERSION/model.onnx', {
      fix: 'Give that folder, or several models by --model-config-file',
    })
  }
  return [toSingleModel(toText(name) ?? 'model', resolve(cwd, String(basePath)))]
}

function parseOrThrow(parameters: readonly string[]): Values {
  const names = Object.keys(SERVER_FLAGS) as ServerFlagName[]
  const options = names.map(name => {
    const { placeholder }: ServerFlag = SERVER_FLAGS[name]
    return [toFlagText(name), { type: placeholder === undefined ? 'boolean' : 'string' }] as const
  })
  try {
    const { values } = parseArgs({ args: [...parameters], options: Object.fromEntries(options), strict: true })
    return Object.fromEntries(
      names.flatMap(name => {
        const value = values[toFlagText(name)]
        return typeof value === 'string' || value === true ? [[name, value]] : []
      }),
    )
  } catch (error) {
    throw new UsageError('USAGE', error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function toText(value: string | true | undefined): string | undefined {
  return value === true ? undefined : value
}

function parsePort(values: Values, name: 'httpPort' | 'grpcPort'): number {
  const text = toText(values[name]) ?? SERVER_FLAGS[name].default
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new UsageError('USAGE', `Cannot use "${text}" as --${toFlagText(name)}: expected 0 to 65535`)
}

function parseNumber(values: Values, name: ServerFlagName): number | undefined {
  const text = toText(values[name])
  if (text === undefined || /^\d{1,15}$/.test(text)) return text === undefined ? undefined : Number(text)
  throw new UsageError('USAGE', `Cannot use "${text}" as --${toFlagText(name)}: expected a number`)
}

/** Reads whole seconds as milliseconds; -1, for the disk, stays itself. */
function parseSeconds(
  values: Values,
  name: 'fileSystemPollWaitSeconds' | 'modelConfigFilePollWaitSeconds',
): number | undefined {
  if (name === 'fileSystemPollWaitSeconds' && values[name] === '-1') return -1
  const seconds = parseNumber(values, name)
  return seconds === undefined ? undefined : seconds * 1000
}
