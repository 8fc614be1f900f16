import type { HttpRequest, HttpResponse } from '../../core/http/http.ts'
import { type NamedTensors, toTfsOutputs, toTfsPredictions } from '../../tensor/index.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { checkInputs } from '../check-inputs.ts'
import { Refusal } from '../errors.ts'
import { checkMethod } from '../front/path.ts'
import type { Service } from '../model.ts'
import { parseInvocation } from './request.ts'

const encoder = new TextEncoder()

/**
 * Answers MLflow's scoring protocol, or returns undefined for another path.
 * Source: mlflow.org, "Local Inference Spec". @throws a `Refusal`, or a `TensorError` where a body does not fit
 */
export function answerMlflow(service: Service, request: HttpRequest): Promise<HttpResponse> | undefined {
  return request.path === '/invocations' ? answer(service, request) : undefined
}

async function answer(service: Service, request: HttpRequest): Promise<HttpResponse> {
  checkMethod(request, 'POST')
  const { model } = service.catalog.find({ name: findOnly(service.catalog) })
  const { form, tensors } = parseInvocation(request, model.inputs)
  checkInputs(tensors, model.inputs)
  const names = model.outputs.map(output => output.name)
  const outputs = await model.infer(tensors, names, request.signal)
  const text = `{"predictions":${form === 'rows' && haveRows(outputs) ? toTfsPredictions(outputs) : toTfsOutputs(outputs)}}`
  return { status: 200, headers: { 'content-type': 'application/json' }, body: encoder.encode(text) }
}

/** The protocol's paths name no model: there must be one alone. */
function findOnly({ names }: Catalog): string {
  const [only, ...others] = names
  if (only !== undefined && others.length === 0) return only
  throw new Refusal(
    'BAD_REQUEST',
    `Cannot tell which model /invocations is for: the server has ${names.length} (${names.join(', ')}); use /v1/models/NAME:predict`,
  )
}

/** Whether all outputs have as many rows. */
function haveRows(outputs: NamedTensors): boolean {
  const rows = new Set([...outputs.values()].map(({ shape }) => shape[0]))
  return rows.size === 1 && !rows.has(undefined)
}
