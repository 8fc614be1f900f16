import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toRandom } from '../../examples/forecast/random.ts'
import { toMlp, toRnn } from '../../src/serve/testing/models.ts'
import { toResnet18 } from './resnet.ts'

/** Models that servers are compared with: a layer of 16 units, the article's recurrent network, and ResNet-18. */
export const MODELS = {
  mlp: { toBytes: toMlp, row: [4], connections: 16, isSlow: false },
  rnn: { toBytes: toRnn, row: [100, 1], connections: 16, isSlow: false },
  cnn: { toBytes: toResnet18, row: [3, 224, 224], connections: 4, isSlow: true },
} as const satisfies Record<string, ModelKind>

/** A key of `MODELS`. */
export type ModelName = keyof typeof MODELS

interface ModelKind {
  readonly toBytes: () => Uint8Array
  /** Shape of a row of its input `x`; the output is called `y`. All is float32. */
  readonly row: readonly number[]
  /** Connections of a load, each with one request at a time. */
  readonly connections: number
  /** Whether one answer takes so long that those cut off at a load's end would matter. */
  readonly isSlow: boolean
}

/** A model on the disk, and the one row that every request asks about. */
export interface BenchModel extends ModelKind {
  readonly name: ModelName
  /** Holds `1/model.onnx`. */
  readonly basePath: string
  readonly path: string
  readonly input: Float32Array
  /** The bytes of `input`. */
  readonly inputPath: string
  /** Shape of a request's input: one row. */
  readonly shape: readonly number[]
}

/** Asks the runtime itself for the answer. */
export async function readWanted({ path, input, shape }: BenchModel): Promise<readonly number[]> {
  process.env['ORT_DISABLE_TELEMETRY'] = '1'
  const { InferenceSession, Tensor } = await import('onnxruntime-node')
  const session = await InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 })
  const { y } = await session.run({ x: new Tensor('float32', input, shape) })
  await session.release()
  return Array.from(y?.data ?? [], Number)
}

/** Writes a model into `folder/NAME/1/`. */
export function writeBenchModel(name: ModelName, folder: string): BenchModel {
  const kind: ModelKind = MODELS[name]
  const basePath = join(folder, name)
  mkdirSync(join(basePath, '1'), { recursive: true })
  const path = join(basePath, '1', 'model.onnx')
  writeFileSync(path, kind.toBytes())
  const random = toRandom(1)
  const length = kind.row.reduce((product, size) => product * size, 1)
  // Six decimals, as clients round to: an image is then 1.3 MB of JSON.
  const input = Float32Array.from({ length }, () => Math.round(random(0, 1) * 1e6) / 1e6)
  const inputPath = join(folder, `${name}.input`)
  writeFileSync(inputPath, new Uint8Array(input.buffer))
  return { ...kind, name, basePath, path, input, inputPath, shape: [1, ...kind.row] }
}
