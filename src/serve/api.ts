/**
 * The light door of this room: the flags of a model server, once for its process and for `regatta serve`. Whoever only
 * prints them does not load ONNX Runtime.
 */

/** One flag, by its name in camel case. */
export interface ServerFlag {
  readonly brief: string
  /** What its value is called; a switch has none. */
  readonly placeholder?: string
  readonly default?: string
}

/** Every flag of a model server. */
export const SERVER_FLAGS = {
  modelName: { brief: 'Name in the URL (default: model)', placeholder: 'name' },
  modelBasePath: { brief: 'Folder that holds a folder per version', placeholder: 'folder' },
  modelConfigFile: { brief: 'File that names several models, instead', placeholder: 'file' },
  modelConfigFilePollWaitSeconds: {
    brief: 'Time between two looks at that file; 0 looks once',
    placeholder: 'seconds',
  },
  fileSystemPollWaitSeconds: {
    brief: 'Time between two looks for versions; 0 looks once, -1 never',
    placeholder: 'seconds',
  },
  maxNumLoadRetries: { brief: 'Further tries to load a version (default: 0)', placeholder: 'count' },
  loadRetryIntervalMs: { brief: 'Time between two of them (default: 60000)', placeholder: 'ms' },
  allowModelControl: { brief: 'Let clients load and unload models' },
  host: { brief: 'Address to listen on', placeholder: 'address', default: '127.0.0.1' },
  httpPort: { brief: 'Port of HTTP; 0 takes a free one', placeholder: 'port', default: '8501' },
  grpcPort: { brief: 'Port of gRPC; 0 takes a free one', placeholder: 'port', default: '8500' },
  tlsCert: { brief: 'PEM file of the certificate, for TLS on both ports', placeholder: 'file' },
  tlsKey: { brief: "PEM file of the certificate's private key", placeholder: 'file' },
  tlsClientCa: { brief: 'PEM file of who signs the certificates that clients must have', placeholder: 'file' },
  tokenFile: { brief: 'File of the token that clients must bear', placeholder: 'file' },
  cors: { brief: 'Let pages of other sites ask' },
  batchMaxRows: { brief: 'Rows of one run; 1 runs every request alone', placeholder: 'rows' },
  batchMaxDelayMs: { brief: 'Time that a run waits for more requests (default: 0)', placeholder: 'ms' },
  engineThreads: { brief: 'Threads of a model whose runs are long (default: cores less one)', placeholder: 'count' },
  intraOpThreads: { brief: 'Threads of one run (default: 1)', placeholder: 'count' },
  maxBodyBytes: { brief: 'Longest request (default: 64 MiB)', placeholder: 'bytes' },
  maxInFlight: { brief: 'Requests that are answered at once (default: 512)', placeholder: 'count' },
  maxWaiting: { brief: 'Requests that wait for one version (default: 256)', placeholder: 'count' },
  maxRunBytes: { brief: 'Inputs and outputs of one run (default: 256 MiB)', placeholder: 'bytes' },
  requestTimeoutMs: { brief: 'Time for a request to arrive (default: 30000)', placeholder: 'ms' },
  drainMs: { brief: 'Time for requests in flight when it stops (default: 8000)', placeholder: 'ms' },
} as const satisfies Record<string, ServerFlag>

/** Name of a flag. */
export type ServerFlagName = keyof typeof SERVER_FLAGS

/** A flag as it is typed, without its dashes: `max-body-bytes`. */
export function toFlagText(name: ServerFlagName): string {
  return name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}
