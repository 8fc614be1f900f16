import type { GrpcMetadata } from '../../core/grpc/grpc.ts'
import type { Capture } from '../../core/wire/routes.ts'
import type { Parameters } from '../../tensor/index.ts'
import { type Hints, parseHints } from '../hints.ts'
import { SEQUENCE, toSequence } from '../sequence.ts'

/** The hints that V2's parameters may give, and what of a row each is. */
const HINTS = { 'x-regatta-entity': 'entity', 'x-regatta-series': 'series', 'x-regatta-at': 'at' } as const
type HintName = keyof typeof HINTS
const HINT_NAMES = Object.keys(HINTS) as readonly HintName[]

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
  if ('problem' in hints || (leftMs === undefined && parameters.size === 0)) return hints
  const sequence = toSequence(parameters.get(SEQUENCE))
  const timeoutMs =
    leftMs === undefined ? hints.timeoutMs : Math.max(1, Math.min(leftMs, hints.timeoutMs ?? Number.POSITIVE_INFINITY))
  return { ...hints, timeoutMs, sequence }
}

/** A parameter holds one value; an array of one for each row stands in it as JSON, and is read with the rows. */
function fromParameters(parameters: Parameters): Record<string, string> {
  const hints: Record<string, string> = {}
  for (const name of HINT_NAMES) {
    const value = parameters.get(name)
    if (value !== undefined && !isJsonArray(value)) hints[name] = String(value)
  }
  return hints
}

/** By the names of the arrays: calls with the same ones share one capture, which is read once for a batch of records. */
const known = new WeakMap<Capture, Map<string, Capture>>()

/** What is recorded of a call: where its parameters are arrays of series, times or entities, each row has its own. */
export function toRowCapture(capture: Capture, parameters: Parameters): Capture {
  if (parameters.size === 0) return capture
  const names = HINT_NAMES.filter(name => isJsonArray(parameters.get(name)))
  if (names.length === 0) return capture
  const captures = known.get(capture) ?? new Map<string, Capture>()
  known.set(capture, captures)
  const found = captures.get(names.join()) ?? { ...capture, ...toPaths(names) }
  captures.set(names.join(), found)
  return found
}

/** JMESPath: a quoted name is that key of the row. */
function toPaths(names: readonly HintName[]): Partial<Capture> {
  return Object.fromEntries(names.map(name => [HINTS[name], `"${name}"`]))
}

/** Whether a parameter is the JSON of an array. */
export function isJsonArray(value: unknown): value is string {
  if (typeof value !== 'string') return false
  const text = value.trim()
  return text.startsWith('[') && text.endsWith(']')
}
