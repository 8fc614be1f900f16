import { DTYPES, type NamedTensors, type Tensor } from '../tensor/index.ts'
import type { ModelInput } from './engine/engine.ts'
import { Refusal } from './errors.ts'

/** Checks the types of tensors that came with types of their own, by a protocol's names for them. @throws BAD_REQUEST */
export function checkTypes(tensors: NamedTensors, inputs: readonly ModelInput[], names: 'v2' | 'tfs'): void {
  for (const input of inputs) {
    const tensor = tensors.get(input.name)
    if (tensor !== undefined && tensor.dtype !== input.dtype) throw toRefusal(input, tensor, names)
  }
}

function toRefusal(input: ModelInput, tensor: Tensor, names: 'v2' | 'tfs'): Refusal {
  const [wanted, found] = [DTYPES[input.dtype][names], DTYPES[tensor.dtype][names]]
  return new Refusal('BAD_REQUEST', `Cannot use input "${input.name}": expected datatype ${wanted}, found ${found}`)
}
