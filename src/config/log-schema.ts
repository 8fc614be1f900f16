import { z } from 'zod'
import { isObject } from '../core/json.ts'
import { oneOf } from './schema-parts.ts'

/** What of a record is left out before it is stored. */
export const drop = z
  .array(oneOf(['series', 'at', 'entity', 'error']), 'a list of series, at, entity, error')
  .default([])
  .meta({ description: 'Parts of a record that are never stored', examples: [['error', 'entity']] })

/** What of a record, and of truths, is stored as a digest. */
export const hash = z
  .array(oneOf(['series', 'entity']), 'a list of series, entity')
  .default([])
  .meta({
    description: "Parts of a record that are stored as digests under the project's token",
    examples: [['series']],
  })

/** Whether truth still finds its prediction without what is dropped. */
export function keepsTruth(race: unknown): boolean {
  const { truth, drop } = isObject(race) ? race : {}
  if (!isObject(truth) || truth['by'] !== 'series' || !Array.isArray(drop)) return true
  return !drop.includes('series') && !drop.includes('at')
}
