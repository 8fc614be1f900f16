import { toErrorText } from '../core/errors.ts'
import { parseInstant } from '../core/instant.ts'

/** What a client says about a request in the `x-regatta-…` headers. */
export interface Hints {
  /** Whom the answer is for: the same entity stays with the same variant. */
  readonly entity: string | undefined
  readonly series: string | undefined
  /** The time the prediction is for, epoch ms. */
  readonly at: number | undefined
}

const MAX_HINT_CHARS = 512

/** Reads the headers of a request, or says what is wrong with them. */
export function parseHints(
  headers: Readonly<Record<string, string | undefined>>,
): Hints | { readonly problem: string } {
  const entity = headers['x-regatta-entity']
  const series = headers['x-regatta-series']
  const at = headers['x-regatta-at']
  for (const [name, value] of [
    ['x-regatta-entity', entity],
    ['x-regatta-series', series],
  ] as const) {
    if (value === undefined) continue
    if (value === '' || value.length > MAX_HINT_CHARS)
      return { problem: `Cannot use header ${name}: expected 1–${MAX_HINT_CHARS} characters, found ${value.length}` }
  }
  try {
    return { entity, series, at: at === undefined ? undefined : parseInstant(at) }
  } catch (error) {
    return { problem: `Cannot use header x-regatta-at: ${toErrorText(error)}` }
  }
}
