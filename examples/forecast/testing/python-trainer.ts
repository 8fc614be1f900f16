// What a Python trainer leaves behind, checked from outside: by ONNX Runtime, by the trainer in TypeScript, by regatta.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OpenModel, PackedImage } from '../../../src/pack/index.ts'
import { openBench } from '../../../src/pack/testing/bench.ts'
import { listLayers } from '../../../src/pack/testing/layer.ts'
import { openOnnxEngine } from '../../../src/serve/index.ts'
import { readOnnxSignature } from '../../../src/train/index.ts'
import { joinLayers } from '../network.ts'
import { parseCsv } from '../series.ts'
import { type Epoch, trainNetwork } from '../training.ts'
import { STEPS, toWindows } from '../windows.ts'

process.env['ORT_DISABLE_TELEMETRY'] = '1'
const { InferenceSession, Tensor } = await import('onnxruntime-node')

export type Framework = 'tensorflow' | 'pytorch'

/** One thing that must hold. */
export interface Check {
  readonly name: string
  readonly run: () => Promise<void>
}

const EXAMPLE = join(import.meta.dirname, '..')
const PARAMS = { hidden: 24, learning_rate: 0.001, epochs: 5, seed: 3 }
const TRAINING_LIMIT_MS = 5 * 60_000

/** The checks of one trainer, in order; the first trains into `folder`, which the others read. */
export function toChecks(framework: Framework, python: string, folder: string): readonly Check[] {
  const model = join(folder, 'model')
  const answersFile = join(folder, 'answers.json')
  const readAnswers = (): Answers => parseAnswers(readFileSync(answersFile, 'utf8'))
  let epochs: readonly Epoch[] = []
  return [
    {
      name: 'trains, and prints one JSON line per epoch',
      run: async () => {
        const stdout = train(python, join(EXAMPLE, `train_${framework}.py`), model, answersFile)
        epochs = stdout
          .trim()
          .split('\n')
          .map(line => JSON.parse(line))
        const numbers = epochs.map(({ epoch }) => epoch)
        assert.deepEqual(numbers, [1, 2, 3, 4, 5])
        for (const { loss, mse } of epochs) assertNear(mse, loss / 6800, 1e-6)
      },
    },
    {
      name: 'comes, from its own first weights, to the losses of train.ts',
      run: async () => {
        const wanted = trainAgain(readAnswers())
        assert.equal(epochs.length, wanted.length)
        for (const [i, { loss }] of epochs.entries()) assertNear(loss, wanted[i]?.loss ?? Number.NaN, 1e-3)
      },
    },
    {
      name: framework === 'tensorflow' ? 'leaves model.onnx and saved_model/' : 'leaves model.onnx alone',
      run: async () => {
        const wanted = framework === 'tensorflow' ? ['model.onnx', 'saved_model'] : ['model.onnx']
        assert.deepEqual(readdirSync(model).sort(), wanted)
        if (framework === 'tensorflow') assert.ok(existsSync(join(model, 'saved_model', 'saved_model.pb')))
      },
    },
    {
      name: 'leaves an ONNX model that takes x and gives y, both float32 [n, 100, 1]',
      run: async () => {
        const { inputs, outputs } = readOnnxSignature(readFileSync(join(model, 'model.onnx')))
        const wanted = (name: string) => [{ name, dtype: 'float32', shape: ['n', STEPS, 1] }]
        assert.deepEqual({ inputs, outputs }, { inputs: wanted('x'), outputs: wanted('y') })
      },
    },
    {
      name: `leaves an ONNX model that answers as ${framework} does, to 1e-4`,
      run: async () => {
        const { x, y } = readAnswers()
        assertAllNear(await answerByOnnx(join(model, 'model.onnx'), x), y, 1e-4)
      },
    },
    ...(framework === 'tensorflow'
      ? [
          {
            name: 'leaves a SavedModel whose serving_default answers as tensorflow does, to 1e-4',
            run: async () => {
              const { x, y } = readAnswers()
              assertAllNear(answerBySavedModel(python, join(model, 'saved_model'), x), y, 1e-4)
            },
          },
          {
            name: 'is packed with its Loop as an RNN, which answers as tensorflow does, to 1e-4',
            run: async () => {
              const { x, y } = readAnswers()
              const { bytes, loops } = await packModel(model)
              assert.deepEqual(
                loops?.loops.map(({ operator }) => operator),
                ['RNN'],
              )
              assert.deepEqual([loops.problem, loops.comparison?.inputs], [null, 8])
              assert.notEqual(loops.rewritten, null)
              assertAllNear(await answerByOnnx(bytes, x), y, 1e-4)
              const { afterMs = 0, beforeMs = 0 } = loops.comparison ?? {}
              console.log(
                `  the packed model takes ${afterMs.toFixed(3)} ms a row, the exported one ${beforeMs.toFixed(3)} ms`,
              )
            },
          },
        ]
      : []),
  ]
}

/** A framework's answers y to inputs x, both [68, 100, 1] flat, and the layers it started from. */
type Answers = Readonly<Record<'x' | 'y' | 'input' | 'recurrent' | 'bias' | 'dense' | 'denseBias', Float32Array>>

function parseAnswers(text: string): Answers {
  const content: Readonly<Record<string, readonly number[]>> = JSON.parse(text)
  const read = (name: keyof Answers): Float32Array => {
    const values = content[name]
    if (values === undefined) throw new Error(`The answers have no "${name}"`)
    return Float32Array.from(values)
  }
  return {
    ...{ x: read('x'), y: read('y'), input: read('input'), recurrent: read('recurrent') },
    ...{ bias: read('bias'), dense: read('dense'), denseBias: read('denseBias') },
  }
}

function train(python: string, trainer: string, output: string, answersFile: string): string {
  const env = { ...process.env, REGATTA_PARAMS: JSON.stringify(PARAMS), REGATTA_OUTPUT: output }
  const { error, status, stderr, stdout } = spawnSync(python, [trainer, '--answers', answersFile], {
    encoding: 'utf8',
    env,
    timeout: TRAINING_LIMIT_MS,
  })
  assert.equal(status, 0, `${error?.message ?? ''} ${stderr}`)
  return stdout
}

function trainAgain({ denseBias, ...layers }: Answers): readonly Epoch[] {
  const history = parseCsv(readFileSync(join(EXAMPLE, 'data', 'series.csv'), 'utf8'))
  const windows = toWindows(history.map(day => day.value))
  assert.deepEqual(layers.x, windows.x)
  const epochs: Epoch[] = []
  const network = joinLayers({ ...layers, denseBias: denseBias[0] ?? Number.NaN })
  trainNetwork(network, windows, { epochs: PARAMS.epochs, learningRate: PARAMS.learning_rate }, epoch =>
    epochs.push(epoch),
  )
  return epochs
}

/** Packs a folder, and gives the model as it is in the image, with what was found of its loops. */
async function packModel(
  folder: string,
): Promise<{ readonly bytes: Uint8Array; readonly loops: PackedImage['loops'] }> {
  await using bench = await openBench()
  const openModel: OpenModel = path => openOnnxEngine({ path, intraOpThreads: 1 })
  const { layers, loops, version } = await bench.pack({ kind: 'folder', folder }, { openModel })
  const files = await listLayers(bench.layout, layers)
  return { bytes: Buffer.from(files.get(`models/forecast/${version}/model.onnx`)?.text ?? '', 'latin1'), loops }
}

async function answerByOnnx(model: string | Uint8Array, x: Float32Array): Promise<Float32Array> {
  const session = await (typeof model === 'string' ? InferenceSession.create(model) : InferenceSession.create(model))
  const { y } = await session.run({ x: new Tensor('float32', x, [x.length / STEPS, STEPS, 1]) })
  return Float32Array.from(y?.data ?? [], Number)
}

/** Loads the SavedModel in a process of its own, as TensorFlow Serving would. */
function answerBySavedModel(python: string, folder: string, x: Float32Array): Float32Array {
  const script = [
    'import json, sys, numpy as np, tensorflow as tf',
    'answer = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]',
    `x = np.array(json.load(sys.stdin), dtype=np.float32).reshape(-1, ${STEPS}, 1)`,
    'print(json.dumps(answer(x=tf.constant(x))["y"].numpy().ravel().tolist()))',
  ].join('\n')
  const { status, stderr, stdout } = spawnSync(python, ['-c', script, folder], {
    encoding: 'utf8',
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
    input: JSON.stringify([...x]),
    maxBuffer: 1e8,
    timeout: TRAINING_LIMIT_MS,
  })
  assert.equal(status, 0, stderr)
  return Float32Array.from(JSON.parse(stdout))
}

function assertAllNear(found: Float32Array, wanted: Float32Array, tolerance: number): void {
  assert.equal(found.length, wanted.length)
  for (const [i, value] of found.entries()) assertNear(value, wanted[i] ?? Number.NaN, tolerance)
}

/** Within `tolerance` of the wanted value, or of 1 where that is smaller. */
function assertNear(found: number, wanted: number, tolerance: number): void {
  const error = Math.abs(found - wanted) / Math.max(1, Math.abs(wanted))
  assert.ok(error <= tolerance, `${wanted} wanted, ${found} found: off by ${error}`)
}
