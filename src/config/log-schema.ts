import { z } from 'zod'
import { isObject } from '../core/json.ts'
import { oneOf, text } from './schema-parts.ts'

/** What of requests and answers is stored as it is. */
export const log = oneOf(['none', 'outputs', 'inputs']).default('none').meta({
  description: 'Whether rows of answers are stored as they are, or those of requests too; `regatta export` has them',
})

const FIELD = /^(input|output)(\.[^.\s]{1,100}){1,20}$/

/** A part of a record by its name, or a field of a logged row by its path. */
function part(names: string, known: readonly string[]) {
  const wanted = `one of ${names}, or a path such as input.customer.email`
  return text(wanted, /\S/, 1000).refine(written => known.includes(written) || FIELD.test(written), wanted)
}

/** What of a record is left out before it is stored. */
export const drop = z
  .array(part('series, at, entity, error', ['series', 'at', 'entity', 'error']), 'a list of parts of a record')
  .default([])
  .meta({
    description: 'Parts of a record that are never stored; of logged rows by path, such as input.customer.email',
    examples: [['error', 'entity', 'input.customer.email']],
  })

/** What of a record, and of truths, is stored as a digest. */
export const hash = z
  .array(part('series, entity', ['series', 'entity']), 'a list of parts of a record')
  .default([])
  .meta({
    description: "Parts of a record, and fields of logged rows, that are stored as digests under the project's token",
    examples: [['series']],
  })

/** Whether truth still finds its prediction without what is dropped. */
export function keepsTruth(race: unknown): boolean {
  const { truth, drop } = isObject(race) ? race : {}
  if (!isObject(truth) || truth['by'] !== 'series' || !Array.isArray(drop)) return true
  return !drop.includes('series') && !drop.includes('at')
}
