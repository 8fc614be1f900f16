import type { WantedVersion } from '../catalog/catalog.ts'
import { Refusal } from '../errors.ts'
import { decodeSegment } from '../front/path.ts'

/** What a path of TensorFlow Serving's REST API names. */
export type TfsPath =
  | { readonly call: 'list' }
  | ({ readonly call: 'status' | 'metadata' | 'predict' | 'classify' | 'regress' } & WantedVersion)

// tensorflow_serving/model_servers/http_rest_api_util.cc: without regard to case.
const MODEL = '/v1/models/([^/:]+)(?:/versions/(\\d+)|/labels/([^/:]+))?'
const POST = new RegExp(`^${MODEL}:(classify|regress|predict)$`, 'i')
const GET = new RegExp(`^${MODEL}(/metadata)?$`, 'i')

/** Reads a path, or returns undefined where TensorFlow Serving has no such one. @throws BAD_REQUEST */
export function parseTfsPath(path: string): TfsPath | undefined {
  if (/^\/v1\/models\/?$/i.test(path)) return { call: 'list' }
  const posted = POST.exec(path)
  const match = posted ?? GET.exec(path)
  const name = decodeSegment(match?.[1])
  if (match === null || name === undefined) return undefined
  const call = posted === null ? (match[4] === undefined ? 'status' : 'metadata') : toCall(match[4])
  return { call, name, version: toVersion(match[2]), label: decodeSegment(match[3]) }
}

const MAX_INT64 = 2n ** 63n - 1n

/** @throws BAD_REQUEST where it does not fit TensorFlow Serving's integer */
function toVersion(digits: string | undefined): number | undefined {
  if (digits === undefined) return undefined
  if (BigInt(digits) <= MAX_INT64) return Number(digits)
  throw new Refusal('BAD_REQUEST', `Failed to convert version: ${digits} to numeric.`)
}

function toCall(word = ''): 'predict' | 'classify' | 'regress' {
  const call = word.toLowerCase()
  return call === 'classify' || call === 'regress' ? call : 'predict'
}
