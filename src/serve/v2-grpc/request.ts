import type { ModelInferRequest, NamedTensors, Tensor } from '../../tensor/index.ts'
import { checkTypes } from '../check-types.ts'
import type { Signature } from '../engine/engine.ts'
import { checkOnce, findInput, toNoClassification, toOutputNames } from '../v2/signature.ts'

/** What a request to infer asks of a model, checked but for the shapes. */
export interface Wish {
  readonly tensors: NamedTensors
  readonly outputs: readonly string[]
}

/** Checks a request to infer against a model. Parameters that this server does not know are left alone. @throws BAD_REQUEST */
export function toWish(request: ModelInferRequest, model: Signature): Wish {
  const tensors = new Map<string, Tensor>()
  for (const { name, tensor } of request.inputs) {
    findInput(model, name)
    checkOnce(name, tensors)
    tensors.set(name, tensor)
  }
  checkTypes(tensors, model.inputs, 'v2')
  const classified = request.outputs.find(({ parameters }) => parameters.has('classification'))
  if (classified !== undefined) throw toNoClassification(classified.name)
  const names = request.outputs.map(({ name }) => name)
  return { tensors, outputs: toOutputNames(model, names) }
}
