import { decodeSegment } from '../front/path.ts'

/** What a path of the Open Inference Protocol V2, or of its extensions, names. */
export type V2Path =
  | { readonly call: 'server' | 'live' | 'ready' | 'all-statistics' | 'index' }
  | ({ readonly call: 'metadata' | 'model-ready' | 'infer' | 'statistics' } & V2ModelPath)
  | { readonly call: 'load' | 'unload'; readonly modelName: string }

/** A model, and a version where the path has one. */
export interface V2ModelPath {
  readonly modelName: string
  readonly version: string | undefined
}

const MODEL = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(?:\/(ready|infer|stats))?$/
const REPOSITORY = /^\/v2\/repository\/models\/([^/]+)\/(load|unload)$/
const CALLS = { ready: 'model-ready', infer: 'infer', stats: 'statistics', '': 'metadata' } as const
const WHOLE = {
  '/v2': 'server',
  '/v2/': 'server',
  '/v2/health/live': 'live',
  '/v2/health/ready': 'ready',
  '/v2/models/stats': 'all-statistics',
  '/v2/repository/index': 'index',
} as const

/**
 * Reads a path, or returns undefined where the protocol has no such one (specification, "HTTP/REST"; Triton's
 * extension_statistics.md and extension_model_repository.md).
 */
export function parseV2Path(path: string): V2Path | undefined {
  if (Object.hasOwn(WHOLE, path)) return { call: WHOLE[path as keyof typeof WHOLE] }
  const match = MODEL.exec(path)
  if (match === null) return parseControlPath(path)
  const modelName = decodeSegment(match[1])
  if (modelName === undefined) return undefined
  const version = match[2] === undefined ? undefined : (decodeSegment(match[2]) ?? match[2])
  return { call: CALLS[(match[3] ?? '') as keyof typeof CALLS], modelName, version }
}

function parseControlPath(path: string): V2Path | undefined {
  const [, name, call] = REPOSITORY.exec(path) ?? []
  const modelName = decodeSegment(name)
  return modelName === undefined ? undefined : { call: call === 'load' ? 'load' : 'unload', modelName }
}
