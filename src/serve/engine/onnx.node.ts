import type { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node'
import { RegattaError, toErrorText } from '../../core/errors.ts'
import { isDtype, type NamedTensors, type Tensor, type TensorSpec } from '../../tensor/index.ts'
import type { Engine, EngineOptions, ModelInput } from './engine.ts'

/*
 * The only file that knows ONNX Runtime. Its Node binding loads and runs on the calling thread: both block it.
 */

type Runtime = Pick<typeof import('onnxruntime-node'), 'InferenceSession' | 'Tensor'>

// Enough to let other events in between many short runs; one session gains nothing from more.
const PARALLEL_RUNS = 8

/** Loads a model into this thread. @throws MODEL_LOAD, MODEL_SIGNATURE */
export async function openOnnxEngine(options: EngineOptions): Promise<Engine> {
  const runtime = await loadRuntime()
  const session = await openSession(runtime, options)
  const running = new Set<Promise<unknown>>()
  return {
    inputs: session.inputMetadata.map(item => ({
      ...toSpec(item, 'input'),
      axes: toAxes(item),
    })) satisfies ModelInput[],
    outputs: session.outputMetadata.map(item => toSpec(item, 'output')),
    lanes: 1,
    parallelRuns: PARALLEL_RUNS,
    lost: new Promise(() => {}),
    async run(inputs, outputs) {
      const feeds = Object.fromEntries([...inputs].map(([name, tensor]) => [name, toOnnxTensor(runtime, tensor)]))
      let startedAt = performance.now()
      // The binding computes in a turn of the event loop of its own, which comes right behind this one.
      setImmediate(() => {
        startedAt = performance.now()
      })
      const run = session.run(feeds, outputs)
      running.add(run)
      try {
        const results = await run
        return { computeMs: performance.now() - startedAt, outputs: toTensors(results) }
      } finally {
        running.delete(run)
      }
    },
    async [Symbol.asyncDispose]() {
      // A run begins a turn of the event loop after it was asked for, and must find its session.
      await Promise.allSettled(running)
      await session.release()
    },
  }
}

/** Loads the native library: not before it is told to send nothing home. */
async function loadRuntime(): Promise<Runtime> {
  process.env['ORT_DISABLE_TELEMETRY'] = '1'
  const { InferenceSession, Tensor } = await import('onnxruntime-node')
  return { InferenceSession, Tensor }
}

async function openSession(runtime: Runtime, { path, intraOpThreads }: EngineOptions): Promise<InferenceSession> {
  try {
    return await runtime.InferenceSession.create(path, {
      intraOpNumThreads: intraOpThreads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // Fatal alone: errors are thrown, and whoever sends values that make a run fail must not fill the log.
      logSeverityLevel: 4,
    })
  } catch (error) {
    // The path stands behind the sentence already.
    const text = toErrorText(error).trim().replace(`Load model from ${path} failed:`, '')
    throw new RegattaError('MODEL_LOAD', `Cannot load the model: ONNX Runtime says "${text}"`, {
      where: path,
      fix: 'Check that the file is a whole ONNX model that this version of ONNX Runtime can run',
      cause: error,
    })
  }
}

function toSpec(item: InferenceSession.ValueMetadata, kind: 'input' | 'output'): TensorSpec {
  if (item.isTensor && isDtype(item.type)) {
    return { name: item.name, dtype: item.type, shape: item.shape.map(size => (typeof size === 'number' ? size : -1)) }
  }
  const found = item.isTensor ? `a tensor of ${item.type}` : 'no tensor (a sequence, a map or an optional value)'
  throw new RegattaError('MODEL_SIGNATURE', `Cannot serve ${kind} "${item.name}" of the model: it is ${found}`, {
    fix: 'Export the model with tensors alone (skl2onnx: options={"zipmap": False})',
  })
}

function toAxes(item: InferenceSession.ValueMetadata): readonly (string | undefined)[] {
  return item.isTensor ? item.shape.map(size => (typeof size === 'string' && size !== '' ? size : undefined)) : []
}

function toOnnxTensor(runtime: Runtime, tensor: Tensor): OnnxTensor {
  const made = new runtime.Tensor(tensor.dtype, tensor.data, tensor.shape)
  // Tensor makes a Float16Array of 16-bit data where the engine has that type, which the native half cannot read
  // ("not enough space"): it wants the bits. This line can go once a run with a Float16Array works.
  if (tensor.dtype === 'float16') Object.defineProperty(made, 'cpuData', { value: tensor.data })
  return made
}

function toTensors(values: InferenceSession.ReturnType): NamedTensors {
  return new Map(Object.entries(values).map(([name, value]) => [name, toTensor(name, value)]))
}

function toTensor(name: string, { type, dims, data }: OnnxTensor): Tensor {
  if (!isDtype(type)) throw new Error(`Output "${name}" has the unknown type ${type}`)
  const isBits = type === 'float16' && !Array.isArray(data)
  const elements = isBits ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data
  // The runtime gives each type the array that `TensorDataByDtype` names, but for the halves just viewed as bits.
  return { dtype: type, shape: dims, data: elements } as Tensor
}
