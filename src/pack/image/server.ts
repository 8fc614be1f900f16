import type { ModelServer } from '../../config/index.ts'
import type { ImageConfig } from '../../oci/index.ts'

/** How an image starts, beside its user and labels. */
export type Start = Pick<ImageConfig['config'], 'Entrypoint' | 'Cmd' | 'Env' | 'ExposedPorts' | 'WorkingDir'>

/** What a server is told of the model. */
export interface ServedModel {
  readonly model: string
  readonly version: number
  /** Folder in the image that holds VERSION/; absolute. */
  readonly modelPath: string
  /** What a custom server is started with. */
  readonly command: readonly string[]
}

/** Where Node lies in an image that stands on this machine's. */
export const NODE_PATH = '/usr/local/bin/node'
/** Where the bundles lie in an image. */
export const RUNTIME_PATH = '/opt/regatta'
/** Where the server lies under TensorFlow Serving's name, whose flags it takes there: manifests name it so. */
export const TFS_PATH = '/usr/bin/tensorflow_model_server'
const HTTP_PORT = 8501
const GRPC_PORT = 8500
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Of an image that stands on this machine's Node. */
const HOST_PATH = 'PATH=/usr/local/bin:/usr/bin:/bin'

/** How the image starts its server. `base` is the config of the image it stands on; undefined: this machine's Node. */
export function toStart(server: ModelServer, served: ServedModel, base: ImageConfig['config'] | undefined): Start {
  const own: Start = STARTS[server](served, base)
  const ports = { ...base?.ExposedPorts, ...own.ExposedPorts }
  const path = base === undefined ? HOST_PATH : PATH
  return {
    ...own,
    Env: mergeEnv([path], base?.Env ?? [], ['HOME=/tmp'], own.Env ?? []),
    ...(Object.keys(ports).length > 0 && { ExposedPorts: ports }),
  }
}

const STARTS = {
  onnx: ({ model, modelPath }, base) => ({
    WorkingDir: RUNTIME_PATH,
    Entrypoint: [toNode(base), `${RUNTIME_PATH}/server.js`],
    Cmd: [
      ...['--model-name', model, '--model-base-path', modelPath],
      ...['--host', '0.0.0.0', '--http-port', String(HTTP_PORT), '--grpc-port', String(GRPC_PORT)],
    ],
    Env: ['NODE_ENV=production', 'ORT_DISABLE_TELEMETRY=1'],
    ExposedPorts: toPorts(GRPC_PORT, HTTP_PORT),
  }),
  // Source: tensorflow.org/tfx/serving/docker; the entry script of the image would have it at /models/NAME alone.
  'tensorflow-serving': ({ model, modelPath }) => ({
    Entrypoint: ['tensorflow_model_server'],
    Cmd: [
      ...[`--port=${GRPC_PORT}`, `--rest_api_port=${HTTP_PORT}`],
      ...[`--model_name=${model}`, `--model_base_path=${modelPath}`],
    ],
    ExposedPorts: toPorts(GRPC_PORT, HTTP_PORT),
  }),
  // Source: Triton Inference Server, docs/user_guide/model_repository.md; 8000 is HTTP, 8001 gRPC, 8002 metrics.
  triton: ({ modelPath }) => ({
    Entrypoint: ['tritonserver'],
    Cmd: [`--model-repository=${toParent(modelPath)}`],
    ExposedPorts: toPorts(8000, 8001, 8002),
  }),
  custom: ({ command, model, modelPath, version }, base) => ({
    ...(base?.WorkingDir !== undefined && { WorkingDir: base.WorkingDir }),
    Entrypoint: command,
    Env: [`MODEL_NAME=${model}`, `MODEL_PATH=${modelPath}/${version}`],
  }),
} as const satisfies Record<ModelServer, (served: ServedModel, base: ImageConfig['config'] | undefined) => Start>

/** The Node of the base: what it starts by itself where that is one, else what its PATH finds. */
export function toNode(base: ImageConfig['config'] | undefined): string {
  if (base === undefined) return NODE_PATH
  const [program = ''] = base.Entrypoint ?? []
  return /^\/(.*\/)?node(js)?$/.test(program) ? program : 'node'
}

/** The folder that holds a folder; absolute paths. */
export function toParent(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

function toPorts(...ports: readonly number[]): Readonly<Record<string, Readonly<Record<string, never>>>> {
  return Object.fromEntries(ports.map(port => [`${port}/tcp`, {}]))
}

/** `NAME=value` lists, one over the other: each name once, the last value wins. */
function mergeEnv(...lists: readonly (readonly string[])[]): readonly string[] {
  const values = new Map(lists.flat().map(pair => [pair.split('=', 1)[0] ?? '', pair]))
  return [...values.values()]
}
