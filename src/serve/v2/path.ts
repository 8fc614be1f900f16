import { decodeSegment } from '../path.ts'

/** What a path of the Open Inference Protocol V2 names. */
export type V2Path =
  | { readonly call: 'server' | 'live' | 'ready' }
  | {
      readonly call: 'metadata' | 'model-ready' | 'infer'
      readonly modelName: string
      readonly version: string | undefined
    }

const MODEL = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/ready|\/infer)?$/
const CALLS = { '/ready': 'model-ready', '/infer': 'infer' } as const

/** Reads a path, or returns undefined where the protocol has no such one (specification, "HTTP/REST"). */
export function parseV2Path(path: string): V2Path | undefined {
  if (path === '/v2' || path === '/v2/') return { call: 'server' }
  if (path === '/v2/health/live') return { call: 'live' }
  if (path === '/v2/health/ready') return { call: 'ready' }
  const match = MODEL.exec(path)
  const modelName = decodeSegment(match?.[1])
  if (match === null || modelName === undefined) return undefined
  const end = match[3]
  const call = end === '/ready' || end === '/infer' ? CALLS[end] : 'metadata'
  return { call, modelName, version: match[2] === undefined ? undefined : (decodeSegment(match[2]) ?? match[2]) }
}
