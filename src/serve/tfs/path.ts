import { decodeSegment } from '../path.ts'

/** What a path of TensorFlow Serving's REST API names. */
export interface TfsPath {
  /** Undefined: all models. */
  readonly modelName: string | undefined
  readonly version: string | undefined
  readonly label: string | undefined
  readonly call: 'status' | 'metadata' | 'predict' | 'classify' | 'regress'
}

// tensorflow_serving/model_servers/http_rest_api_util.cc: without regard to case.
const MODEL = '/v1/models/([^/:]+)(?:/versions/(\\d+)|/labels/([^/:]+))?'
const POST = new RegExp(`^${MODEL}:(classify|regress|predict)$`, 'i')
const GET = new RegExp(`^${MODEL}(/metadata)?$`, 'i')

/** Reads a path, or returns undefined where TensorFlow Serving has no such one. */
export function parseTfsPath(path: string): TfsPath | undefined {
  if (/^\/v1\/models\/?$/i.test(path))
    return { modelName: undefined, version: undefined, label: undefined, call: 'status' }
  const posted = POST.exec(path)
  const match = posted ?? GET.exec(path)
  const modelName = decodeSegment(match?.[1])
  if (match === null || modelName === undefined) return undefined
  const call = posted === null ? (match[4] === undefined ? 'status' : 'metadata') : toCall(match[4])
  return { modelName, version: match[2], label: decodeSegment(match[3]), call }
}

function toCall(word = ''): 'predict' | 'classify' | 'regress' {
  const call = word.toLowerCase()
  return call === 'classify' || call === 'regress' ? call : 'predict'
}
