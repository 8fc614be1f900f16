import { toFloat32List } from './float32-list.ts'
import { fromHalfBits } from './half.ts'
import { toFloatText, toShortestFloat32 } from './number-text.ts'
import type { Tensor } from './tensor.ts'

/** Writes so many elements from the given one on, with commas between. */
export type ListText = (start: number, length: number) => string

/** The texts of the elements of a tensor that is not of texts. */
export function toElementList(tensor: Exclude<Tensor, { dtype: 'string' }>): ListText {
  switch (tensor.dtype) {
    case 'float32':
      return (start, length) => toFloat32List(tensor.data, start, length)
    case 'float16':
      return toListText(index => toFloatText(toShortestFloat32(fromHalfBits(tensor.data[index] ?? 0))))
    case 'float64':
      return toListText(index => toFloatText(tensor.data[index] ?? 0))
    case 'bool':
      return toListText(index => (tensor.data[index] === 0 ? 'false' : 'true'))
    default:
      return toListText(index => String(tensor.data[index]))
  }
}

/** Lists of what is written one by one. */
export function toListText(toText: (index: number) => string): ListText {
  return (start, length) => {
    const texts: string[] = []
    for (let index = start; index < start + length; index += 1) texts.push(toText(index))
    return texts.join(',')
  }
}
