import { toElementList, toListText } from './element-list.ts'
import { TensorError } from './errors.ts'
import { toElementCount } from './shape.ts'
import type { NamedTensors, Tensor } from './tensor.ts'

/**
 * The row form of outputs: a list with one value per row, or one object per row where there are several outputs.
 * Source: tensorflow_serving/util/json_tensor.cc, `MakeRowFormatJsonFromTensors`.
 * @throws TENSOR_SHAPE where an output has no rows, or two differ in their number
 */
export function toTfsPredictions(outputs: NamedTensors): string {
  const named = [...outputs].map(([name, tensor]) => ({ name, tensor, toText: toTensorText(name, tensor, 1) }))
  let rows = -1
  for (const { name, tensor } of named) {
    const [length] = tensor.shape
    if (length === undefined) throw new TensorError('TENSOR_SHAPE', `Tensor name: ${name} has no shape information `)
    if (rows >= 0 && rows !== length) {
      throw new TensorError(
        'TENSOR_SHAPE',
        `Tensor name: ${name} has inconsistent batch size: ${length} expecting: ${rows}`,
      )
    }
    rows = length
  }
  const texts: string[] = []
  for (let row = 0; row < rows; row += 1) {
    const values = named.map(({ name, toText }) => (named.length > 1 ? `${JSON.stringify(name)}:` : '') + toText(row))
    texts.push(named.length > 1 ? `{${values.join(',')}}` : values.join(''))
  }
  return `[${texts.join(',')}]`
}

/** The column form of outputs: the nested lists of the one output, or an object of them by name. */
export function toTfsOutputs(outputs: NamedTensors): string {
  const texts = [...outputs].map(([name, tensor]) => ({ name, text: toTensorText(name, tensor, 0)(0) }))
  if (texts.length === 1) return texts.map(({ text }) => text).join('')
  return `{${texts.map(({ name, text }) => `${JSON.stringify(name)}:${text}`).join(',')}}`
}

/** Nested lists of everything below the first `outer` axes, by its number in row-major order. */
function toTensorText(name: string, tensor: Tensor, outer: 0 | 1): (index: number) => string {
  const shape = tensor.shape.slice(outer)
  const size = toElementCount(shape)
  const toList =
    tensor.dtype === 'string' ? toListText(toStringText(tensor.data, name.endsWith('_bytes'))) : toElementList(tensor)
  return index => nest(index * size, 0)

  function nest(at: number, axis: number): string {
    const length = shape[axis]
    if (length === undefined) return toList(at, 1)
    if (axis === shape.length - 1) return `[${toList(at, length)}]`
    const stride = toElementCount(shape.slice(axis + 1))
    const parts: string[] = []
    for (let index = 0; index < length; index += 1) parts.push(nest(at + index * stride, axis + 1))
    return `[${parts.join(',')}]`
  }
}

/** Outputs whose name ends in `_bytes` are written in base64, as TensorFlow Serving does. */
function toStringText(texts: readonly string[], isBytes: boolean): (index: number) => string {
  if (!isBytes) return index => JSON.stringify(texts[index] ?? '')
  return index => `{"b64":"${Buffer.from(texts[index] ?? '', 'utf8').toString('base64')}"}`
}
