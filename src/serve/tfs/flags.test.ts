import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toSingleModel } from '../options.ts'
import { TFS_FLAGS } from './flag-table.ts'
import { parseTfsFlags, toTfsUsage } from './flags.ts'
import { type TextFile, toTfsOptions } from './options.ts'

/** Names in `flag_list` of tensorflow_serving/model_servers/main.cc, July 2026. */
const NAMES =
  `port grpc_socket_path rest_api_port rest_api_num_threads rest_api_timeout_in_ms rest_api_enable_cors_support
  enable_batching allow_version_labels_for_unavailable_models batching_parameters_file
  enable_per_model_batching_parameters model_config_file model_config_file_poll_wait_seconds model_name model_base_path
  num_load_threads num_unload_threads max_num_load_retries load_retry_interval_micros file_system_poll_wait_seconds
  flush_filesystem_caches tensorflow_session_parallelism tensorflow_session_config_file tensorflow_intra_op_parallelism
  tensorflow_inter_op_parallelism use_alts_credentials ssl_config_file platform_config_file
  per_process_gpu_memory_fraction saved_model_tags grpc_channel_arguments grpc_max_threads enable_model_warmup
  num_request_iterations_for_warmup version monitoring_config_file remove_unused_fields_from_bundle_metagraph
  prefer_tflite_model num_tflite_pools num_tflite_interpreters_per_pool enable_signature_method_name_check
  xla_cpu_compilation_enabled xla_gpu_compilation_enabled enable_profiler thread_pool_factory_config_file mixed_precision
  skip_initialize_tpu enable_grpc_healthcheck_service enable_serialization_as_tensor_content`.split(/\s+/)

const toOptions = (
  words: readonly string[],
  more: { env?: Record<string, string>; batching?: string; monitoring?: string; ssl?: string } = {},
) => {
  const toFile = (text?: string): TextFile | undefined => (text === undefined ? undefined : { path: '/f', text })
  const { flags } = parseTfsFlags(words)
  return toTfsOptions({
    flags,
    env: more.env ?? {},
    resolve: path => (path.startsWith('/') ? path : `/cwd/${path}`),
    batchingFile: toFile(more.batching),
    monitoringFile: toFile(more.monitoring),
    sslFile: toFile(more.ssl),
  })
}

describe('parseTfsFlags()', () => {
  it('knows every flag of TensorFlow Serving, and one of ours', () => {
    assert.deepEqual(Object.keys(TFS_FLAGS), ['host', ...NAMES])
    for (const name of NAMES) assert.match(toTfsUsage(), new RegExp(`--${name}=`))
  })

  it('reads values in both forms, and truth values in all', () => {
    const words = ['--port=1', '--rest_api_port', '2', '--model_name=', '--enable_batching', '--noversion']
    assert.deepEqual(parseTfsFlags(words).flags, {
      port: 1,
      rest_api_port: 2,
      model_name: '',
      enable_batching: true,
      version: false,
    })
    assert.deepEqual(parseTfsFlags(['--enable_batching=FALSE', '--load_retry_interval_micros=-1']).flags, {
      enable_batching: false,
      load_retry_interval_micros: -1,
    })
  })

  it('says which flags have no effect', () => {
    const { flags, notes } = parseTfsFlags(['--grpc_max_threads=8', '--flush_filesystem_caches=false'])
    assert.deepEqual(flags, {})
    assert.deepEqual(notes, [
      '--grpc_max_threads has no effect: one event loop answers',
      '--flush_filesystem_caches has no effect: the system keeps its own cache of files',
    ])
  })

  it('accepts of a refused flag the one value that asks for nothing', () => {
    const usual = ['--use_alts_credentials=false', '--per_process_gpu_memory_fraction=0.0', '--saved_model_tags=serve']
    assert.deepEqual(parseTfsFlags([...usual, '--platform_config_file=', '--noxla_cpu_compilation_enabled']).flags, {})
  })

  const wrong: readonly [words: string[], message: RegExp, fix?: RegExp][] = [
    [['--prot=1'], /^Cannot find a flag --prot$/, /^Did you mean --port\?$/],
    [['--nonsense'], /^Cannot find a flag --nonsense$/, /^See --help$/],
    [['--noport'], /^Cannot find a flag --noport$/],
    [['word'], /^Cannot read "word": expected a flag/],
    [['--port'], /^Cannot read --port: expected a value after it$/],
    [['--port=x'], /^Cannot use "x" as --port: expected a whole number$/],
    [['--enable_batching=1'], /^Cannot use "1" as --enable_batching: expected true or false$/],
    [['--enable_batching', 'false'], /^Cannot read "false": expected a flag/],
    [['--per_process_gpu_memory_fraction=0.5'], /memory_fraction: models run on CPUs here$/, /^Remove it$/],
    [['--grpc_socket_path=/f'], /^Cannot use --grpc_socket_path: gRPC is not served on UNIX/, /Use --port/],
    [['--prefer_tflite_model'], /^Cannot use --prefer_tflite_model: /],
  ]
  for (const [words, message, fix = /./] of wrong) {
    it(`refuses ${words.join(' ')}`, () => {
      assert.throws(
        () => parseTfsFlags(words),
        error => {
          assert.equal(Object(error).code, 'USAGE')
          assert.match(Object(error).message, message)
          assert.match(Object(error).fix ?? '.', fix)
          return true
        },
      )
    })
  }
})

describe('toTfsOptions()', () => {
  it('has the defaults of TensorFlow Serving', () => {
    assert.deepEqual(toOptions(['--model_base_path=/models/m']), {
      models: [toSingleModel('default', '/models/m')],
      host: '0.0.0.0',
      grpcPort: 8500,
      httpPort: 8501,
      restTimeoutMs: 30_000,
      cors: false,
      maxLoadRetries: 5,
      loadRetryMs: 60_000,
      parallelLoads: 1,
      pollMs: 1000,
      allowLabelsOnUnavailable: false,
      allowModelControl: true,
      batching: { maxRows: 1 },
    })
  })

  it('honours what is given', () => {
    const words = ['--model_name=m', '--model_base_path=models/m', '--port=0', '--rest_api_port=9', '--host=127.0.0.1']
    const more = ['--tensorflow_session_parallelism=3', '--rest_api_timeout_in_ms=0', '--rest_api_enable_cors_support']
    const loads = ['--max_num_load_retries=0', '--load_retry_interval_micros=1500', '--num_load_threads=4']
    const looks = ['--file_system_poll_wait_seconds=-3', '--allow_version_labels_for_unavailable_models']
    assert.deepEqual(toOptions([...words, ...more, ...loads, ...looks]), {
      models: [toSingleModel('m', '/cwd/models/m')],
      host: '127.0.0.1',
      httpPort: 9,
      intraOpThreads: 3,
      cors: true,
      maxLoadRetries: 0,
      loadRetryMs: 2,
      parallelLoads: 4,
      pollMs: -1,
      allowLabelsOnUnavailable: true,
      allowModelControl: true,
      batching: { maxRows: 1 },
    })
  })

  it('serves a file, or what the environment of the image names', () => {
    const file = ['--model_config_file=m.config', '--model_config_file_poll_wait_seconds=60', '--model_name=ignored']
    assert.deepEqual(toOptions(file).models, { path: '/cwd/m.config', pollMs: 60_000 })
    assert.deepEqual(toOptions([], { env: { MODEL_NAME: 'm' } }).models, [toSingleModel('m', '/models/m')])
    const env = { MODEL_NAME: 'm', MODEL_BASE_PATH: '/other' }
    assert.deepEqual(toOptions([], { env }).models, [toSingleModel('m', '/other/m')])
    assert.throws(() => toOptions([]), { code: 'USAGE', message: /^Cannot start without --model_base_path/ })
  })

  it('speaks TLS over gRPC as a file of certificates says', () => {
    const words = ['--model_base_path=/m']
    const own = 'server_key: "k" server_cert: "c"'
    assert.deepEqual(toOptions(words, { ssl: own }).tls, { grpc: { key: 'k', cert: 'c' } })
    assert.deepEqual(toOptions(words, { ssl: `${own} custom_ca: "a"` }).tls, { grpc: { key: 'k', cert: 'c' } })
    assert.deepEqual(toOptions(words, { ssl: `${own} custom_ca: "a" client_verify: true` }).tls, {
      grpc: { key: 'k', cert: 'c', ca: 'a', requireClientCert: true },
    })
    assert.throws(() => toOptions(words, { ssl: 'server_key: "k"' }), /without both server_key and server_cert/)
    assert.throws(() => toOptions(words, { ssl: `${own} client_verify: true` }), /without custom_ca/)
    assert.throws(() => toOptions(words, { ssl: 'server: "k"' }), { code: 'TEXT_PROTO' })
  })

  it('batches as a file of parameters says', () => {
    const words = ['--model_base_path=/m', '--enable_batching']
    assert.deepEqual(toOptions(words).batching, { maxRows: 1000 })
    const batching =
      'max_batch_size { value: 128 } batch_timeout_micros { value: 2500 } max_enqueued_batches { value: 10 } ' +
      'num_batch_threads { value: 4 } thread_pool_name { value: "p" }'
    const file = [...words, '--batching_parameters_file=/f']
    const options = toOptions(file, { batching })
    assert.deepEqual([options.batching, options.maxWaiting], [{ maxRows: 128, maxDelayMs: 2.5 }, 1280])
    assert.equal(options.engineThreads, 4)
    const split = 'enable_large_batch_splitting { value: true } max_execution_batch_size { value: 16 }'
    assert.deepEqual(toOptions(file, { batching: split }).batching, { maxRows: 16, maxDelayMs: 0 })
    const padded = { batching: 'allowed_batch_sizes: [1, 2]' }
    assert.throws(() => toOptions(file, padded), {
      message: /^Cannot use allowed_batch_sizes .*not padded here \(\/f\)$/,
    })
    const off = ['--model_base_path=/m', '--batching_parameters_file=/f']
    assert.throws(() => toOptions(off, { batching: '' }), { message: /without --enable_batching$/ })
  })

  it('leaves out the requests of a folder where it is told to', () => {
    assert.equal(toOptions(['--model_base_path=/m']).warmUpRequests, undefined)
    assert.equal(toOptions(['--model_base_path=/m', '--enable_model_warmup=false']).warmUpRequests, false)
  })

  it('shows metrics where a monitoring file says', () => {
    const words = ['--model_base_path=/m', '--monitoring_config_file=/f']
    const pathOf = (monitoring: string) => toOptions(words, { monitoring }).tfsMetricsPath
    assert.equal(pathOf('prometheus_config { enable: true path: "/prometheus" }'), '/prometheus')
    assert.equal(pathOf('prometheus_config { enable: true }'), undefined)
    assert.throws(() => pathOf('prometheus_config { enable: true path: "p" }'), { message: /^Cannot use "p" as/ })
  })

  it('refuses ports that cannot be', () => {
    const words = ['--model_base_path=/m']
    assert.throws(() => toOptions([...words, '--rest_api_port=0']), { message: /health and metrics are served there/ })
    assert.throws(() => toOptions([...words, '--rest_api_port=70000']), { message: /^Cannot use 70000 as --rest_api/ })
    assert.throws(() => toOptions([...words, '--port=-1']), { message: /^Cannot use -1 as --port/ })
    assert.throws(() => toOptions([...words, '--port=8501']), { message: /^Cannot use 8501 as both/ })
  })
})
