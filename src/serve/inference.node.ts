import { toErrorText } from '../core/errors.ts'
import type { NamedTensors } from '../tensor/index.ts'
import type { Engine } from './engine.ts'
import { Refusal } from './errors.ts'
import type { VersionMetrics } from './metrics.ts'
import type { Model } from './model.ts'
import type { Queue } from './queue.ts'

/** Makes the model that the protocols ask: runs wait in the queue for the engine, and are counted and timed. */
export function toServedModel(engine: Engine, queue: Queue, metrics: VersionMetrics): Model {
  return {
    inputs: engine.inputs,
    outputs: engine.outputs,
    async infer(inputs, outputs, signal) {
      const results = await queue.run(() => runTimed(engine, inputs, outputs, metrics), signal)
      return new Map([...results].sort(([a], [b]) => outputs.indexOf(a) - outputs.indexOf(b)))
    },
  }
}

async function runTimed(
  engine: Engine,
  inputs: NamedTensors,
  outputs: readonly string[],
  metrics: VersionMetrics,
): Promise<NamedTensors> {
  const [first] = inputs.values()
  const rows = first?.shape[0] ?? 1
  const startedAt = performance.now()
  try {
    const { outputs: results } = await engine.run(inputs, outputs)
    metrics.inferenceSeconds.observe((performance.now() - startedAt) / 1000)
    metrics.inferenceRows.inc(rows)
    return results
  } catch (error) {
    metrics.inferenceErrors.inc()
    throw toInferenceRefusal(error)
  }
}

const MAX_TEXT = 1000

/**
 * ONNX Runtime's words go to the client. Types and shapes are checked before: an operator that fails nevertheless does
 * so on the values (an index out of range), unless there was no memory left.
 */
function toInferenceRefusal(error: unknown): Refusal {
  const text = toErrorText(error).trim().slice(0, MAX_TEXT)
  const isAboutValues = /while running \S+ node/.test(text) && !/allocat/i.test(text)
  const code = isAboutValues ? 'BAD_REQUEST' : 'INFERENCE'
  return new Refusal(code, `Cannot run the model on these inputs: ONNX Runtime says "${text}"`, { cause: error })
}
