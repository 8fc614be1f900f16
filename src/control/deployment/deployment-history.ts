import type { HttpRequest } from '../../core/http/http.ts'
import { CAUSE_HEADERS } from '../../core/wire/cause.ts'
import type { ChangeCause, DeploymentChange } from '../../store/index.ts'
import type { HistoryJson } from '../api/history.ts'
import { toControlError } from '../errors.ts'

const MAX_LENGTH = { by: 200, reason: 1000 } as const

/** Says why a request changes the deployment. Who does not name themselves is `admin`, whose token it is. @throws REQUEST */
export function toCause(kind: ChangeCause['kind'], { headers }: Pick<HttpRequest, 'headers'>): ChangeCause {
  const read = (part: keyof typeof CAUSE_HEADERS): string => parseText(headers[CAUSE_HEADERS[part]] ?? '', part)
  return { kind, by: read('by') || 'admin', reason: read('reason') }
}

function parseText(encoded: string, part: keyof typeof CAUSE_HEADERS): string {
  const text = toDecoded(encoded)?.trim()
  if (text !== undefined && text.length <= MAX_LENGTH[part] && !/\p{Cc}/u.test(text)) return text
  throw toControlError(
    'REQUEST',
    `Cannot read header ${CAUSE_HEADERS[part]}: expected one line of up to ${MAX_LENGTH[part]} characters in percent encoding`,
    'Shorten it, or leave it out',
  )
}

function toDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** The changes of the deployment as the API shows them. */
export function toHistory(changes: readonly DeploymentChange[]): HistoryJson {
  return {
    schema: 'regatta/history/v1',
    changes: changes.map(change => ({ ...change, at: new Date(change.at).toISOString() })),
  }
}
