import { RegattaError } from './errors.ts'

const DATE = /^\d{4}-\d{2}-\d{2}$/
const DATE_TIME = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})$/

/**
 * Reads the time a prediction or a truth is for, as epoch ms: an integer of epoch ms, an ISO 8601 date
 * (midnight UTC) or an ISO 8601 date and time with its offset. @throws INSTANT
 */
export function parseInstant(value: unknown): number {
  const at = toInstant(value)
  if (at === undefined || !Number.isSafeInteger(at)) {
    throw new RegattaError(
      'INSTANT',
      `Cannot read time ${JSON.stringify(value) ?? 'undefined'}: expected ISO 8601 or epoch ms`,
      {
        fix: 'Write for example "2026-01-31", "2026-01-31T12:00:00Z" or 1769817600000',
      },
    )
  }
  return at
}

function toInstant(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return undefined
  if (/^-?\d{1,16}$/.test(value)) return Number(value)
  if (DATE.test(value)) return isCalendarDate(value) ? Date.parse(`${value}T00:00:00Z`) : undefined
  if (DATE_TIME.test(value)) return isCalendarDate(value.slice(0, 10)) ? Date.parse(value.replace(' ', 'T')) : undefined
  return undefined
}

/** `Date.parse` takes 31 February for 3 March; a date that comes back as another is none. */
function isCalendarDate(date: string): boolean {
  const at = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(date)
}
