import type { GrpcMetadata } from '../core/grpc.ts'
import type { Parameters } from '../tensor/index.ts'
import { type Hints, parseHints } from './hints.ts'

const HINTS = ['x-regatta-entity', 'x-regatta-series', 'x-regatta-at'] as const

/**
 * Reads what a client says about a call: in its metadata, or else in V2's parameters of the same names. `leftMs` is the
 * time until its deadline.
 */
export function parseGrpcHints(
  metadata: GrpcMetadata,
  parameters: Parameters,
  leftMs: number | undefined,
): Hints | { readonly problem: string } {
  const hints = parseHints(parameters.size === 0 ? metadata : { ...fromParameters(parameters), ...metadata })
  if ('problem' in hints || leftMs === undefined) return hints
  return { ...hints, timeoutMs: Math.max(1, Math.min(leftMs, hints.timeoutMs ?? Number.POSITIVE_INFINITY)) }
}

/** A parameter holds one value; an array of one for each row stands in it as JSON, and is read with the rows. */
function fromParameters(parameters: Parameters): Record<string, string> {
  const hints: Record<string, string> = {}
  for (const name of HINTS) {
    const value = parameters.get(name)
    if (value !== undefined && !isJsonArray(value)) hints[name] = String(value)
  }
  return hints
}

/** Whether a parameter is the JSON of an array. */
export function isJsonArray(value: unknown): value is string {
  if (typeof value !== 'string') return false
  const text = value.trim()
  return text.startsWith('[') && text.endsWith(']')
}
