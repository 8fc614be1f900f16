import { createHmac } from 'node:crypto'
import type { RaceConfig } from '../../config/index.ts'
import type { PredictionRecord, RecordRow } from '../../core/wire/records.ts'
import type { Truth } from '../../store/index.ts'
import { type HiddenFields, hideFields } from './hiding.ts'

/** Keeps out of the database what shall not be there. */
export interface Privacy {
  hideRecord(record: PredictionRecord): PredictionRecord
  /** A truth by series is filed under the digest that its prediction was. */
  hideTruth(truth: Truth): Truth
}

/**
 * Drops and hashes parts of records as `race.drop` and `race.hash` ask for. A digest is the first 132 bits of
 * HMAC-SHA256 in base64url, under a key that is derived from the admin token: without the token nobody can try out who
 * is behind it, and the same name gives the same digest as long as the token stays. Source: RFC 2104.
 */
export function toPrivacy({ drop, hash }: Pick<RaceConfig, 'drop' | 'hash'>, adminToken: string): Privacy {
  const key = createHmac('sha256', adminToken).update('regatta/digest').digest()
  const digest = (part: 'series' | 'entity' | 'field', text: string): string =>
    createHmac('sha256', key).update(`${part}\0${text}`).digest('base64url').slice(0, 22)
  const hide = (part: 'series' | 'entity', text: string | undefined): string | undefined => {
    if (text === undefined || drop.includes(part)) return undefined
    return hash.includes(part) ? digest(part, text) : text
  }
  const fields = { input: toFields({ drop, hash }, 'input'), output: toFields({ drop, hash }, 'output') }
  const hideBody = (of: 'input' | 'output', body: unknown): unknown =>
    hideFields(body, fields[of], text => digest('field', text))
  const hideRow = ({ series, at, entity, input, output, ...rest }: RecordRow): RecordRow => {
    const hidden = { series: hide('series', series), entity: hide('entity', entity) }
    return {
      ...rest,
      ...(input !== undefined && { input: hideBody('input', input) }),
      ...(output !== undefined && { output: hideBody('output', output) }),
      ...(hidden.series !== undefined && { series: hidden.series }),
      ...(at !== undefined && !drop.includes('at') && { at }),
      ...(hidden.entity !== undefined && { entity: hidden.entity }),
    }
  }
  return {
    hideRecord({ entity, error, rows, ...rest }) {
      const hidden = hide('entity', entity)
      return {
        ...rest,
        ...(error !== undefined && !drop.includes('error') && { error }),
        ...(hidden !== undefined && { entity: hidden }),
        rows: rows.map(hideRow),
      }
    },
    hideTruth: truth =>
      truth.by === 'series' && hash.includes('series') ? { ...truth, series: digest('series', truth.series) } : truth,
  }
}

/** The paths into one of the logged rows, such as `input.customer.email`. */
function toFields({ drop, hash }: Pick<RaceConfig, 'drop' | 'hash'>, of: 'input' | 'output'): HiddenFields {
  const listOf = (parts: readonly string[]): HiddenFields['drop'] =>
    parts.filter(part => part.startsWith(`${of}.`)).map(part => part.split('.').slice(1))
  return { drop: listOf(drop), hash: listOf(hash) }
}
