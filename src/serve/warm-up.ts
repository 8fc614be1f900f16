import { RegattaError, toErrorText } from '../core/errors.ts'
import { toElementCount, toZeros } from '../tensor/index.ts'
import type { Engine } from './engine.ts'

/** Lengths tried for free dimensions behind the first: some models need a few steps, or an image. */
const LENGTHS = [1, 16, 64, 224]
/** Larger inputs of zeros are not tried. */
const MAX_ELEMENTS = 16 * 1024 * 1024

/** What a run on zeros showed. */
export type WarmUp =
  | { readonly kind: 'warm' }
  /** The model refuses zeros of every shape tried; with free dimensions that proves nothing against it. */
  | { readonly kind: 'unproven'; readonly reason: string }

/**
 * Runs the model once on zeros, one row of them, so that no client waits for what ONNX Runtime prepares at the first
 * run. @throws MODEL_WARM_UP where a model without free dimensions cannot be run
 */
export async function warmUp(engine: Engine): Promise<WarmUp> {
  const isFree = engine.inputs.some(({ shape }) => shape.slice(1).includes(-1))
  let reason = ''
  for (const length of isFree ? LENGTHS : LENGTHS.slice(0, 1)) {
    try {
      await runZeros(engine, length)
      return { kind: 'warm' }
    } catch (error) {
      reason = toErrorText(error).trim()
    }
  }
  if (isFree) return { kind: 'unproven', reason }
  throw new RegattaError('MODEL_WARM_UP', `Cannot run the model on zeros: ONNX Runtime says "${reason}"`)
}

async function runZeros(engine: Engine, length: number): Promise<void> {
  const zeros = engine.inputs.map(({ name, dtype, shape }) => {
    const sizes = shape.map((size, axis) => (size !== -1 ? size : axis === 0 ? 1 : length))
    if (toElementCount(sizes) > MAX_ELEMENTS) throw new Error(`${toElementCount(sizes)} zeros are too many`)
    return [name, toZeros(dtype, sizes)] as const
  })
  const outputs = engine.outputs.map(output => output.name)
  await engine.run(new Map(zeros), outputs)
}
