import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { UsageError } from '../core/errors.ts'
import { type ServerOptions, toSingleModel } from './options.ts'
import type { SecurityFiles } from './security.node.ts'

/** Flags of the server's process. */
const FLAGS = {
  'model-name': { type: 'string' },
  'model-base-path': { type: 'string' },
  'model-config-file': { type: 'string' },
  'model-config-file-poll-wait-seconds': { type: 'string' },
  host: { type: 'string', default: '127.0.0.1' },
  'http-port': { type: 'string', default: '8501' },
  'grpc-port': { type: 'string', default: '8500' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'tls-client-ca': { type: 'string' },
  'token-file': { type: 'string' },
  'intra-op-threads': { type: 'string' },
  'max-body-bytes': { type: 'string' },
  'max-in-flight': { type: 'string' },
  'max-waiting': { type: 'string' },
  'max-run-bytes': { type: 'string' },
  'engine-threads': { type: 'string' },
  'batch-max-rows': { type: 'string' },
  'batch-max-delay-ms': { type: 'string' },
  'request-timeout-ms': { type: 'string' },
  'drain-ms': { type: 'string' },
  'file-system-poll-wait-seconds': { type: 'string' },
  'max-num-load-retries': { type: 'string' },
  'load-retry-interval-ms': { type: 'string' },
  'allow-model-control': { type: 'boolean' },
} as const

/** Reads the command line of the server's process. @throws USAGE (a `UsageError`) */
export function parseFlags(parameters: readonly string[]): ServerOptions {
  const { values } = parseOrThrow(parameters)
  return {
    models: toModels(values),
    host: values.host,
    httpPort: parsePort('http-port', values['http-port']),
    grpcPort: parsePort('grpc-port', values['grpc-port']),
    ...toNumber('intraOpThreads', 'intra-op-threads', values['intra-op-threads']),
    ...toNumber('maxBodyBytes', 'max-body-bytes', values['max-body-bytes']),
    ...toNumber('maxInFlight', 'max-in-flight', values['max-in-flight']),
    ...toNumber('maxWaiting', 'max-waiting', values['max-waiting']),
    ...toNumber('maxRunBytes', 'max-run-bytes', values['max-run-bytes']),
    ...toNumber('engineThreads', 'engine-threads', values['engine-threads']),
    batching: {
      ...toNumber('maxRows', 'batch-max-rows', values['batch-max-rows']),
      ...toNumber('maxDelayMs', 'batch-max-delay-ms', values['batch-max-delay-ms']),
    },
    ...toNumber('requestTimeoutMs', 'request-timeout-ms', values['request-timeout-ms']),
    ...toNumber('drainMs', 'drain-ms', values['drain-ms']),
    ...toSeconds('pollMs', 'file-system-poll-wait-seconds', values['file-system-poll-wait-seconds']),
    ...toNumber('maxLoadRetries', 'max-num-load-retries', values['max-num-load-retries']),
    ...(values['allow-model-control'] === true && { allowModelControl: true }),
    ...toNumber('loadRetryMs', 'load-retry-interval-ms', values['load-retry-interval-ms']),
  }
}

/** Reads of that command line which files protect the server. @throws USAGE (a `UsageError`) */
export function parseSecurityFlags(parameters: readonly string[]): SecurityFiles {
  const { values } = parseOrThrow(parameters)
  return {
    tlsCert: values['tls-cert'],
    tlsKey: values['tls-key'],
    tlsClientCa: values['tls-client-ca'],
    tokenFile: values['token-file'],
  }
}

type Values = ReturnType<typeof parseOrThrow>['values']

function toModels(values: Values): ServerOptions['models'] {
  const { 'model-config-file': file, 'model-base-path': basePath, 'model-name': name } = values
  const poll = 'model-config-file-poll-wait-seconds'
  if (file !== undefined) {
    if (basePath !== undefined || name !== undefined) {
      throw new UsageError('USAGE', 'Cannot use --model-config-file with --model-name or --model-base-path: give one')
    }
    return { path: resolve(file), pollMs: 0, ...toSeconds('pollMs', poll, values[poll]) }
  }
  if (values[poll] !== undefined) throw new UsageError('USAGE', `Cannot use --${poll} without --model-config-file`)
  if (basePath === undefined) {
    throw new UsageError('USAGE', 'Cannot start without --model-base-path: expected the folder of VERSION/model.onnx', {
      fix: 'Give that folder, or several models by --model-config-file',
    })
  }
  return [toSingleModel(name ?? 'model', resolve(basePath))]
}

function parseOrThrow(parameters: readonly string[]) {
  try {
    return parseArgs({ args: [...parameters], options: FLAGS, strict: true })
  } catch (error) {
    throw new UsageError('USAGE', error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function parsePort(flag: string, text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new UsageError('USAGE', `Cannot use "${text}" as --${flag}: expected 0 to 65535`)
}

function toNumber<name extends string>(name: name, flag: string, text: string | undefined): { [key in name]?: number } {
  if (text === undefined) return {}
  if (!/^\d{1,15}$/.test(text)) throw new UsageError('USAGE', `Cannot use "${text}" as --${flag}: expected a number`)
  return { [name]: Number(text) } as { [key in name]: number }
}

/** Reads whole seconds as milliseconds; -1 stays itself. */
function toSeconds(name: 'pollMs', flag: string, text: string | undefined): { pollMs?: number } {
  if (text === '-1' && flag.startsWith('file-system')) return { [name]: -1 }
  const { [name]: seconds } = toNumber(name, flag, text)
  return seconds === undefined ? {} : { [name]: seconds * 1000 }
}
