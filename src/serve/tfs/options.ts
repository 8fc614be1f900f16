import { UsageError } from '../../core/errors.ts'
import type { BatchingOptions } from '../batch/batching.ts'
import { type ServerOptions, toSingleModel } from '../options.ts'
import type { TfsFlags } from './flags.ts'
import { BATCHING_PARAMETERS, MONITORING_CONFIG, SSL_CONFIG } from './schemas.ts'
import { parseTextProto } from './text-proto.ts'

/** A file that a flag names, and what it holds. */
export interface TextFile {
  readonly path: string
  readonly text: string
}

/** What the flags mean, beside the files that they name. */
export interface TfsSetting {
  readonly flags: TfsFlags
  readonly env: Readonly<Record<string, string | undefined>>
  /** Makes a path absolute. */
  readonly resolve: (path: string) => string
  readonly batchingFile: TextFile | undefined
  readonly monitoringFile: TextFile | undefined
  readonly sslFile: TextFile | undefined
}

/** TensorFlow Serving's defaults, as far as they are not this server's (model_servers/server.h). */
const DEFAULTS = {
  host: '0.0.0.0',
  port: 8500,
  rest_api_port: 8501,
  rest_api_timeout_in_ms: 30_000,
  model_name: 'default',
  max_num_load_retries: 5,
  load_retry_interval_micros: 60_000_000,
  file_system_poll_wait_seconds: 1,
} as const satisfies TfsFlags

/** What the server is to do. @throws USAGE, TEXT_PROTO (a `UsageError`) */
export function toTfsOptions(setting: TfsSetting): ServerOptions {
  const flags = { ...DEFAULTS, ...setting.flags }
  const threads = flags.tensorflow_intra_op_parallelism || flags.tensorflow_session_parallelism || 0
  if (flags.rest_api_port === 0) {
    throw toUsageError('Cannot use 0 as --rest_api_port: health and metrics are served there', 'Give it a port')
  }
  if (flags.rest_api_port === flags.port) {
    throw toUsageError(`Cannot use ${flags.port} as both --port and --rest_api_port`, 'Give them different ports')
  }
  return {
    models: toModels(setting),
    host: flags.host,
    ...(flags.port !== 0 && { grpcPort: checkPort('port', flags.port) }),
    httpPort: checkPort('rest_api_port', flags.rest_api_port),
    ...(threads > 0 && { intraOpThreads: threads }),
    ...(flags.rest_api_timeout_in_ms > 0 && { restTimeoutMs: flags.rest_api_timeout_in_ms }),
    cors: flags.rest_api_enable_cors_support ?? false,
    maxLoadRetries: Math.max(flags.max_num_load_retries, 0),
    loadRetryMs: Math.max(Math.ceil(flags.load_retry_interval_micros / 1000), 0),
    parallelLoads: Math.max(flags.num_load_threads ?? 1, 1),
    pollMs: flags.file_system_poll_wait_seconds < 0 ? -1 : flags.file_system_poll_wait_seconds * 1000,
    allowLabelsOnUnavailable: flags.allow_version_labels_for_unavailable_models ?? false,
    ...(flags.enable_model_warmup === false && { warmUpRequests: false }),
    // Its clients may reload the configuration.
    allowModelControl: true,
    ...toBatching(setting),
    ...toMonitoring(setting.monitoringFile),
    ...toTls(setting.sslFile),
  }
}

function checkPort(flag: string, port: number): number {
  if (port >= 0 && port <= 65_535) return port
  throw toUsageError(`Cannot use ${port} as --${flag}: expected 0 to 65535`)
}

/** One model by flags or, as the entry script of TensorFlow Serving's image has it, by environment; or a file's. */
function toModels({ flags, env, resolve }: TfsSetting): ServerOptions['models'] {
  const { model_config_file: path, model_base_path: basePath } = flags
  if (path !== undefined && path !== '')
    return { path: resolve(path), pollMs: Math.max(flags.model_config_file_poll_wait_seconds ?? 0, 0) * 1000 }
  if (basePath !== undefined && basePath !== '')
    return [toSingleModel(flags.model_name ?? DEFAULTS.model_name, resolve(basePath))]
  const name = env['MODEL_NAME'] ?? ''
  if (name === '') {
    throw toUsageError(
      'Cannot start without --model_base_path and --model_config_file: one of them says what to serve',
      'Give one of them, or the environment variable MODEL_NAME, for MODEL_BASE_PATH/MODEL_NAME (/models/MODEL_NAME)',
    )
  }
  return [toSingleModel(flags.model_name ?? name, resolve(`${env['MODEL_BASE_PATH'] ?? '/models'}/${name}`))]
}

/** TensorFlow Serving's defaults: shared_batch_scheduler.h. */
const MAX_BATCH_SIZE = 1000n

type Batching = Pick<ServerOptions, 'batching' | 'engineThreads' | 'maxWaiting'>

function toBatching({ flags, batchingFile }: TfsSetting): Batching {
  if (flags.enable_batching !== true) {
    if (batchingFile === undefined) return { batching: { maxRows: 1 } }
    throw toUsageError('Cannot use --batching_parameters_file without --enable_batching', 'Give both')
  }
  if (batchingFile === undefined) return { batching: { maxRows: Number(MAX_BATCH_SIZE) } }
  const { path, text } = batchingFile
  const parsed = parseTextProto(text, BATCHING_PARAMETERS, path)
  if (parsed.allowed_batch_sizes.length > 0 || parsed.pad_variable_length_inputs === true) {
    const what = 'Cannot use allowed_batch_sizes or pad_variable_length_inputs: batches are not padded here'
    throw new UsageError('USAGE', what, { where: path, fix: 'Remove them' })
  }
  // A batch that would be split runs in parts of this size.
  const split = parsed.enable_large_batch_splitting?.value === true ? parsed.max_execution_batch_size?.value : undefined
  const maxRows = Number(split ?? parsed.max_batch_size?.value ?? MAX_BATCH_SIZE)
  const batching: BatchingOptions = { maxRows, maxDelayMs: Number(parsed.batch_timeout_micros?.value ?? 0n) / 1000 }
  const [batches, threads] = [parsed.max_enqueued_batches?.value, parsed.num_batch_threads?.value]
  return {
    batching,
    ...(batches !== undefined && { maxWaiting: Math.max(Number(batches) * maxRows, 1) }),
    // How many batches run at once. One below 1 is refused by its range.
    ...(threads !== undefined && { engineThreads: Number(threads) }),
  }
}

/** server.cc, `BuildServerCredentials`. */
function toTls(file: TextFile | undefined): Pick<ServerOptions, 'tls'> {
  if (file === undefined) return {}
  const {
    server_key = '',
    server_cert = '',
    custom_ca = '',
    client_verify,
  } = parseTextProto(file.text, SSL_CONFIG, file.path)
  if (server_key === '' || server_cert === '') {
    throw new UsageError('USAGE', 'Cannot speak TLS without both server_key and server_cert', { where: file.path })
  }
  const own = { key: server_key, cert: server_cert }
  if (client_verify !== true) return { tls: { grpc: own } }
  if (custom_ca !== '') return { tls: { grpc: { ...own, ca: custom_ca, requireClientCert: true } } }
  throw new UsageError('USAGE', 'Cannot verify clients without custom_ca, who signs their certificates', {
    where: file.path,
  })
}

function toMonitoring(file: TextFile | undefined): Pick<ServerOptions, 'tfsMetricsPath'> {
  if (file === undefined) return {}
  const { enable, path = '' } = parseTextProto(file.text, MONITORING_CONFIG, file.path).prometheus_config ?? {}
  if (enable !== true || path === '') return {}
  if (!path.startsWith('/')) {
    throw new UsageError('USAGE', `Cannot use "${path}" as prometheus_config.path: expected "/" at its start`, {
      where: file.path,
    })
  }
  return { tfsMetricsPath: path }
}

function toUsageError(what: string, fix?: string): UsageError {
  return new UsageError('USAGE', what, fix === undefined ? {} : { fix })
}
