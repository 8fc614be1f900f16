import type { TextSchema } from './text-proto.ts'

/*
 * The messages of TensorFlow Serving's configuration files: tensorflow_serving/config/*.proto and
 * servables/tensorflow/session_bundle_config.proto.
 */

const INT64 = { kind: 'int', min: -(2n ** 63n), max: 2n ** 63n - 1n } as const
const UINT32 = { kind: 'int', min: 0n, max: 2n ** 32n - 1n } as const
/** Versions are folders' names here: whole numbers of at most 15 digits. */
const VERSION = { kind: 'int', min: 0n, max: 10n ** 15n - 1n } as const
const INT64_VALUE = { kind: 'message', fields: { value: INT64 } } as const
const POLICY = { kind: 'message', oneof: 'policy_choice' } as const

const MODEL_CONFIG = {
  name: { kind: 'string' },
  base_path: { kind: 'string' },
  model_type: { kind: 'enum', values: ['MODEL_TYPE_UNSPECIFIED', 'TENSORFLOW', 'OTHER'] },
  model_platform: { kind: 'string' },
  model_version_policy: {
    kind: 'message',
    fields: {
      latest: { ...POLICY, fields: { num_versions: UINT32 } },
      all: { ...POLICY, fields: {} },
      specific: { ...POLICY, fields: { versions: { ...VERSION, repeated: true } } },
    },
  },
  version_labels: { kind: 'message', repeated: true, fields: { key: { kind: 'string' }, value: VERSION } },
  logging_config: {
    kind: 'refused',
    fix: 'Remove it: requests are recorded by the gateway (race.log in regatta.yaml), not by the server',
  },
} as const satisfies TextSchema

/** ModelServerConfig: the models to serve. */
export const MODEL_SERVER_CONFIG = {
  model_config_list: {
    kind: 'message',
    oneof: 'config',
    fields: { config: { kind: 'message', repeated: true, fields: MODEL_CONFIG } },
  },
  custom_model_config: {
    kind: 'refused',
    oneof: 'config',
    fix: 'Use model_config_list: TensorFlow Serving itself supports no other',
  },
} as const satisfies TextSchema

/** BatchingParameters: how requests are batched. */
export const BATCHING_PARAMETERS = {
  max_batch_size: INT64_VALUE,
  batch_timeout_micros: INT64_VALUE,
  max_enqueued_batches: INT64_VALUE,
  num_batch_threads: INT64_VALUE,
  thread_pool_name: { kind: 'message', fields: { value: { kind: 'string' } } },
  enable_large_batch_splitting: { kind: 'message', fields: { value: { kind: 'bool' } } },
  max_execution_batch_size: INT64_VALUE,
  allowed_batch_sizes: { ...INT64, repeated: true },
  pad_variable_length_inputs: { kind: 'bool' },
} as const satisfies TextSchema

/** MonitoringConfig: where Prometheus reads. */
export const MONITORING_CONFIG = {
  prometheus_config: { kind: 'message', fields: { enable: { kind: 'bool' }, path: { kind: 'string' } } },
} as const satisfies TextSchema

/** SSLConfig: certificates of the port of gRPC, as PEM texts. */
export const SSL_CONFIG = {
  server_key: { kind: 'string' },
  server_cert: { kind: 'string' },
  custom_ca: { kind: 'string' },
  client_verify: { kind: 'bool' },
} as const satisfies TextSchema
