/** What the value of a flag is. */
export type FlagKind = 'bool' | 'int' | 'float' | 'text'

/**
 * One flag of TensorFlow Serving.
 * - `honoured`: does here what it does there.
 * - `noted`: tunes something that this server does not have; it is accepted, and the log says so.
 * - `refused`: would change what clients or operators get, which this server cannot. `usual` is the one value that is
 *   accepted, since it asks for nothing.
 */
export type FlagRow = { readonly kind: FlagKind; readonly about: string } & (
  | { readonly use: 'honoured' }
  | { readonly use: 'noted' }
  | { readonly use: 'refused'; readonly fix: string; readonly usual?: string }
)

const honoured = <kind extends FlagKind>(kind: kind, about: string) => ({ kind, use: 'honoured', about }) as const
const noted = <kind extends FlagKind>(kind: kind, about: string) => ({ kind, use: 'noted', about }) as const
const refused = <kind extends FlagKind>(kind: kind, about: string, fix: string, usual = '') =>
  ({ kind, use: 'refused', about, fix, usual }) as const

const TFLITE = 'there are no TensorFlow Lite models here, only ONNX'

/**
 * Every flag of TensorFlow Serving's model server, in its order, and `host`, which is ours.
 * Source: tensorflow_serving/model_servers/main.cc of July 2026.
 */
export const TFS_FLAGS = {
  host: honoured('text', 'address to listen on (not a flag of TensorFlow Serving, which takes 0.0.0.0)'),
  port: honoured('int', 'port of gRPC; 0 for none'),
  grpc_socket_path: refused('text', 'gRPC is not served on UNIX sockets', 'Use --port'),
  rest_api_port: honoured('int', 'port of the REST API, health and metrics; 8501 unless given'),
  rest_api_num_threads: noted('int', 'one event loop answers, whatever the number of CPUs'),
  rest_api_timeout_in_ms: honoured('int', 'time after which a REST call is given up'),
  rest_api_enable_cors_support: honoured('bool', 'CORS headers on REST answers'),
  enable_batching: honoured('bool', 'run requests together'),
  allow_version_labels_for_unavailable_models: honoured('bool', 'allow new labels on versions that are not loaded'),
  batching_parameters_file: honoured('text', 'BatchingParameters in text format'),
  enable_per_model_batching_parameters: refused(
    'bool',
    'batching is the same for all models',
    'Use --batching_parameters_file',
    'false',
  ),
  model_config_file: honoured('text', 'ModelServerConfig in text format'),
  model_config_file_poll_wait_seconds: honoured('int', 'seconds between two looks at that file; 0 for one look'),
  model_name: honoured('text', 'name of the model'),
  model_base_path: honoured('text', 'folder of VERSION/model.onnx'),
  num_load_threads: honoured('int', 'models loaded at once'),
  num_unload_threads: noted('int', 'unloading does not wait for a thread'),
  max_num_load_retries: honoured('int', 'tries after the first to load a version'),
  load_retry_interval_micros: honoured('int', 'time between two tries'),
  file_system_poll_wait_seconds: honoured('int', 'seconds between two looks for versions; 0 for one look'),
  flush_filesystem_caches: noted('bool', 'the system keeps its own cache of files'),
  tensorflow_session_parallelism: honoured('int', 'threads of one inference; 0 for the default'),
  tensorflow_session_config_file: refused(
    'text',
    'a session of TensorFlow has no part in this',
    'Use --tensorflow_intra_op_parallelism for threads, and remove the rest',
  ),
  tensorflow_intra_op_parallelism: honoured('int', 'threads of one inference; 0 for the default'),
  tensorflow_inter_op_parallelism: noted('int', 'the operators of an inference run one after the other'),
  use_alts_credentials: refused('bool', 'ALTS is not spoken here', 'Remove it', 'false'),
  ssl_config_file: honoured('text', 'SSLConfig in text format: TLS on the port of gRPC alone'),
  platform_config_file: refused('text', 'there is one platform here, ONNX Runtime', 'Remove it'),
  per_process_gpu_memory_fraction: refused('float', 'models run on CPUs here', 'Remove it', '0'),
  saved_model_tags: refused('text', 'ONNX models have one graph', 'Remove it', 'serve'),
  grpc_channel_arguments: refused('text', 'the arguments of another gRPC library mean nothing here', 'Remove it'),
  grpc_max_threads: noted('int', 'one event loop answers'),
  enable_model_warmup: honoured('bool', 'run the requests in assets.extra before a version serves; on unless false'),
  num_request_iterations_for_warmup: noted('int', 'models are always warmed before they serve'),
  version: honoured('bool', 'print the version and end'),
  monitoring_config_file: honoured('text', 'MonitoringConfig in text format'),
  remove_unused_fields_from_bundle_metagraph: noted('bool', 'ONNX models have no such fields'),
  prefer_tflite_model: refused('bool', TFLITE, 'Remove it', 'false'),
  num_tflite_pools: noted('int', TFLITE),
  num_tflite_interpreters_per_pool: noted('int', TFLITE),
  enable_signature_method_name_check: noted('bool', 'ONNX models have one signature, to predict'),
  xla_cpu_compilation_enabled: refused('bool', 'XLA has no part in this', 'Remove it', 'false'),
  xla_gpu_compilation_enabled: refused('bool', 'XLA has no part in this', 'Remove it', 'false'),
  enable_profiler: noted('bool', 'there is no profiler service'),
  thread_pool_factory_config_file: refused('text', 'there are no thread pools to make', 'Remove it'),
  mixed_precision: refused('text', 'a model runs in the types that it was exported with', 'Export it in those types'),
  skip_initialize_tpu: noted('bool', 'there is no TPU here'),
  enable_grpc_healthcheck_service: noted('bool', 'the health service is always there where gRPC is'),
  enable_serialization_as_tensor_content: noted('bool', 'clients read both forms of a tensor'),
} as const satisfies Record<string, FlagRow>

/** A flag's name, without the dashes. */
export type TfsFlag = keyof typeof TFS_FLAGS
