import { toErrorText } from '../core/errors.ts'
import { parseTimeout, TIMEOUT_HEADER } from '../core/http/timeout.ts'
import { parseInstant } from '../core/instant.ts'

/** What a client says about a request in headers of its own choice. */
export interface Hints {
  /** `x-regatta-entity`: whom the answer is for; the same entity stays with the same variant. */
  readonly entity: string | undefined
  /** `x-regatta-series` */
  readonly series: string | undefined
  /** `x-regatta-at`: the time the prediction is for, epoch ms. */
  readonly at: number | undefined
  /** `x-request-timeout-ms`: how long the client waits for the answer. */
  readonly timeoutMs: number | undefined
  /** V2's `sequence_id`: those who name the same one stay with the same replica. @default no sequence */
  readonly sequence?: string | undefined
}

const MAX_HINT_CHARS = 512

/** Reads the headers of a request, or says what is wrong with them. */
export function parseHints(
  headers: Readonly<Record<string, string | undefined>>,
): Hints | { readonly problem: string } {
  const entity = headers['x-regatta-entity']
  const series = headers['x-regatta-series']
  const at = headers['x-regatta-at']
  if (!isText(entity)) return toTextProblem('x-regatta-entity', entity)
  if (!isText(series)) return toTextProblem('x-regatta-series', series)
  const timeoutMs = parseTimeout(headers[TIMEOUT_HEADER])
  if (typeof timeoutMs === 'object') return timeoutMs
  try {
    return { entity, series, at: at === undefined ? undefined : parseInstant(at), timeoutMs }
  } catch (error) {
    return { problem: `Cannot use header x-regatta-at: ${toErrorText(error)}` }
  }
}

function isText(value: string | undefined): boolean {
  return value === undefined || (value !== '' && value.length <= MAX_HINT_CHARS)
}

function toTextProblem(name: string, value = ''): { readonly problem: string } {
  return { problem: `Cannot use header ${name}: expected 1–${MAX_HINT_CHARS} characters, found ${value.length}` }
}
