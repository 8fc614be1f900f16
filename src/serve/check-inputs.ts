import { isWantedShape, type NamedTensors, type Shape, toShapeText } from '../tensor/index.ts'
import type { ModelInput } from './engine/engine.ts'
import { Refusal } from './errors.ts'

/** Checks that there is a tensor of the right shape for every input of the model. @throws BAD_REQUEST */
export function checkInputs(tensors: NamedTensors, inputs: readonly ModelInput[]): void {
  const lengths: { readonly axis: string; readonly input: string; readonly length: number }[] = []
  for (const input of inputs) {
    const tensor = tensors.get(input.name)
    if (tensor === undefined) throw new Refusal('BAD_REQUEST', `Missing input "${input.name}": ${toWanted(input)}`)
    const { shape } = tensor
    checkShape(input, shape)
    // ONNX Runtime's Node binding would cut the text there and say nothing.
    if (tensor.dtype === 'string' && tensor.data.some(text => text.includes('\0')))
      throw new Refusal('BAD_REQUEST', `Cannot use input "${input.name}": a text holds the character U+0000`)
    for (let index = 0; index < input.axes.length; index += 1) {
      const axis = input.axes[index]
      const length = shape[index] ?? 0
      if (axis === undefined) continue
      const other = lengths.find(known => known.axis === axis)
      if (other === undefined) lengths.push({ axis, input: input.name, length })
      else if (other.length !== length) {
        throw new Refusal(
          'BAD_REQUEST',
          `Cannot use input "${input.name}": its dimension "${axis}" is ${length}, but that of "${other.input}" is ${other.length}`,
        )
      }
    }
  }
}

/** Checks one input's shape. @throws BAD_REQUEST with the input's name, and what the model expects */
export function checkShape(input: ModelInput, found: Shape): void {
  if (isWantedShape(found, input.shape)) return
  const [rows = -1, ...rest] = input.shape
  // A model that was exported with one example's shape: the most frequent reason, and not the client's fault.
  const isFixedBatch = rows >= 1 && rest.length > 0 && isWantedShape(found, [-1, ...rest])
  const hint = isFixedBatch
    ? `; the model's first dimension is fixed: send exactly ${rows} row${rows === 1 ? '' : 's'} a request, or export the model with a free first dimension`
    : ''
  throw new Refusal(
    'BAD_REQUEST',
    `Cannot use input "${input.name}": ${toWanted(input)}, found ${toShapeText(found)}${hint}`,
  )
}

function toWanted({ shape }: ModelInput): string {
  return `expected shape ${toShapeText(shape)}`
}
