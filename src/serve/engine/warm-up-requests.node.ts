import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { RegattaError, toErrorText, toSystemCode } from '../../core/errors.ts'
import { isList, isMembers, isNumbers, type JsonMembers, type NamedTensors, parseJson } from '../../tensor/index.ts'
import { checkInputs } from '../check-inputs.ts'
import { parseRecords } from '../tfs/record.ts'
import { parseWarmUpRecord } from '../tfs/warm-up-record.ts'
import { parseInferBody } from '../v2/request.ts'
import type { Signature } from './engine.ts'
import type { WarmUpRequest } from './warm-up.ts'

/*
 * Requests that are shipped with a version of a model, to be run before any client's: TensorFlow Serving's file of
 * `PredictionLog` records, or bodies of the Open Inference Protocol in JSON, one or a list.
 */

/** Where they lie in the folder of a version. */
export const WARM_UP_FILES = {
  tfs: join('assets.extra', 'tf_serving_warmup_requests'),
  json: 'warmup.json',
} as const

/** A file may have so many (tensorflow_serving/servables/tensorflow/saved_model_warmup.h, `kNumMaxRecords`). */
const MAX_REQUESTS = 1000
const MAX_BYTES = 256 * 1024 * 1024

/**
 * Reads the requests of a version's folder, for a model. Records of kinds that it has no signature for are left out.
 * @throws MODEL_WARM_UP where a file is damaged, or a request does not fit the model
 */
export async function readWarmUpRequests(folder: string, model: Signature): Promise<readonly WarmUpRequest[]> {
  const records = await readRequests(join(folder, WARM_UP_FILES.tfs), bytes =>
    parseRecords(bytes, MAX_REQUESTS).map(record => () => parseWarmUpRecord(record, model)),
  )
  const bodies = await readRequests(join(folder, WARM_UP_FILES.json), bytes =>
    listBodies(bytes).map(body => () => parseInferBody(body, model)),
  )
  return [...records, ...bodies].flatMap(({ where, parse }) => {
    const request = atRequest(where, () => {
      const parsed = parse()
      if (parsed !== undefined) checkInputs(parsed.tensors, model.inputs)
      return parsed
    })
    return request === undefined ? [] : [{ where, inputs: request.tensors, outputs: request.outputs }]
  })
}

/** Reads a request; undefined where it is not to be run. */
type Parse = () => { readonly tensors: NamedTensors; readonly outputs: readonly string[] } | undefined

/** The requests of a file, each with its place, still to be parsed; none where there is no such file. */
async function readRequests(
  path: string,
  list: (bytes: Uint8Array) => readonly Parse[],
): Promise<readonly { readonly where: string; readonly parse: Parse }[]> {
  const sizeBytes = await readSize(path)
  if (sizeBytes === undefined) return []
  if (sizeBytes > MAX_BYTES) throw toError(path, new Error(`${sizeBytes} bytes, above the limit of ${MAX_BYTES}`))
  const bytes = await readFile(path)
  const requests = atRequest(path, () => list(bytes))
  return requests.map((parse, at) => ({ where: `${path}, request ${at + 1}`, parse }))
}

async function readSize(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (toSystemCode(error) === 'ENOENT' || toSystemCode(error) === 'ENOTDIR') return undefined
    throw toError(path, error)
  }
}

function listBodies(bytes: Uint8Array): readonly JsonMembers[] {
  const node = parseJson(bytes)
  const nodes = isList(node) && !isNumbers(node) ? node : [node]
  if (nodes.length > MAX_REQUESTS) throw new Error(`more than ${MAX_REQUESTS} requests`)
  return nodes.map(body => {
    if (isMembers(body)) return body
    throw new Error('expected a request of the Open Inference Protocol, or a list of such')
  })
}

function atRequest<result>(where: string, read: () => result): result {
  try {
    return read()
  } catch (error) {
    throw toError(where, error)
  }
}

function toError(where: string, cause: unknown): RegattaError {
  return new RegattaError('MODEL_WARM_UP', `Cannot use the warm-up requests of the model: ${toErrorText(cause)}`, {
    where,
    fix: 'Write them anew for this model, or remove the file',
    cause,
  })
}
