import type { ModelChoice, NamedTensors, PredictRequest } from '../../tensor/index.ts'
import type { ModelSpec } from '../../tensor/messages.ts'
import type { WantedVersion } from '../catalog/catalog.ts'
import { checkTypes } from '../check-types.ts'
import type { ModelInput, Signature } from '../engine/engine.ts'
import { Refusal } from '../errors.ts'
import { SIGNATURE } from '../tfs/request.ts'

/** The version that a prediction wants. @throws BAD_REQUEST */
export function toWanted({ modelName, version, versionLabel }: ModelChoice): WantedVersion {
  if (modelName === undefined) throw new Refusal('BAD_REQUEST', 'Missing ModelSpec')
  return { name: modelName, version, label: versionLabel }
}

/** The version that any other request wants. @throws BAD_REQUEST */
export function parseWanted(spec: ModelSpec | undefined): WantedVersion {
  if (spec === undefined) throw new Refusal('BAD_REQUEST', 'Missing ModelSpec')
  const { name, versionChoice } = spec
  if (versionChoice.case === 'versionLabel') return { name, label: versionChoice.value }
  // No model has a version that a number cannot hold.
  return versionChoice.case === undefined ? { name } : { name, version: Number(versionChoice.value.value) }
}

/** What a request to predict asks of a model, checked but for the shapes. */
export interface Wish {
  readonly tensors: NamedTensors
  readonly outputs: readonly string[]
}

/**
 * Checks a request to predict against a model's only signature.
 * Source: tensorflow_serving/servables/tensorflow/predict_util.cc, whose errors these are.
 * @throws PRECONDITION, BAD_REQUEST
 */
export function toWish(request: PredictRequest, model: Signature): Wish {
  const { signatureName, inputs, outputFilter } = request
  if (signatureName !== '' && signatureName !== SIGNATURE)
    throw new Refusal('PRECONDITION', `Serving signature key "${signatureName}" not found.`)
  checkNames(inputs, model.inputs)
  checkTypes(inputs, model.inputs, 'tfs')
  return { tensors: inputs, outputs: toOutputs(outputFilter, model) }
}

function checkNames(tensors: NamedTensors, inputs: readonly ModelInput[]): void {
  const [sent, wanted] = [[...tensors.keys()].sort(), inputs.map(({ name }) => name).sort()]
  const extra = sent.filter(name => !wanted.includes(name))
  const missing = wanted.filter(name => !tensors.has(name))
  if (extra.length === 0 && missing.length === 0) return
  throw new Refusal(
    'BAD_REQUEST',
    `input size does not match signature: ${sent.length}!=${wanted.length} len({${sent}}) != len({${wanted}}). ` +
      `Sent extra: {${extra}}. Missing but required: {${missing}}.`,
  )
}

function toOutputs(filter: readonly string[], { outputs }: Signature): readonly string[] {
  const names = outputs.map(({ name }) => name)
  if (filter.length === 0) return names
  const unknown = filter.find(name => !names.includes(name))
  if (unknown !== undefined) {
    const set = `Outputs expected to be in the set {${names.toSorted()}}.`
    throw new Refusal('BAD_REQUEST', `output tensor alias not found in signature: ${unknown} ${set}`)
  }
  const twice = filter.find((name, at) => filter.indexOf(name) !== at)
  if (twice !== undefined) throw new Refusal('BAD_REQUEST', `duplicate output tensor alias: ${twice}`)
  return filter
}
