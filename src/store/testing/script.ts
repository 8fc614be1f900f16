import type { PredictionRecord } from '../../core/wire/records.ts'
import type { Truth } from '../index.ts'
import { toObservation, toPair, toTruth } from './place.ts'

/** One thing that is sent to a store. */
export type Item =
  | { readonly kind: 'record'; readonly record: PredictionRecord }
  | { readonly kind: 'truth'; readonly truth: Truth }

const SERIES = 5
const REVISIONS = 3

/**
 * Everything that is known of requests `from` up to before `to`: pairs, every third of them for a time of a series,
 * truths in three revisions, and truths of which nothing was predicted. Whatever the order, it comes to the same.
 */
export function toItems(from: number, to: number): readonly Item[] {
  const numbers = Array.from({ length: to - from }, (_, at) => from + at)
  const records = numbers.flatMap(n =>
    toPair(n, n % 7, n % 5).map(record => ({
      ...record,
      ...(n % 4 === 0 && { entity: `e${n % 11}` }),
      rows: record.rows.map(row => (n % 3 === 0 ? { ...row, series: 's', at: n % SERIES } : row)),
    })),
  )
  const truths = numbers.flatMap(n => {
    if (n % 3 === 0) return []
    const row = n % 10 === 0 ? 7 : 0
    return Array.from({ length: REVISIONS }, (_, revision) => toTruth(n, (n + revision) % 4, { revision, row }))
  })
  const observations = Array.from({ length: SERIES + 1 }, (_, at) => toObservation('s', at, at / 2))
  return [
    ...records.map(record => ({ kind: 'record' as const, record })),
    ...[...truths, ...observations].map(truth => ({ kind: 'truth' as const, truth })),
  ]
}

/** Shuffles by a seed (Fisher and Yates, with the generator of Park and Miller). */
export function shuffle<item>(items: readonly item[], seed: number): readonly item[] {
  const shuffled = [...items]
  let state = (seed % 2_147_483_646) + 1
  for (let last = shuffled.length - 1; last > 0; last--) {
    state = (state * 48_271) % 2_147_483_647
    const other = state % (last + 1)
    const [a, b] = [shuffled[last], shuffled[other]]
    if (a === undefined || b === undefined) continue
    ;[shuffled[last], shuffled[other]] = [b, a]
  }
  return shuffled
}
