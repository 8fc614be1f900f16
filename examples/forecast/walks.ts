import { toRandom } from './random.ts'
import { addDays, toHistory, toWalkValues } from './series.ts'
import { STEPS } from './windows.ts'

/** One row of new live data: what the model sees of a series, and what comes true the day after. */
export interface LiveRow {
  readonly series: string
  /** ISO 8601 date of the day to predict. */
  readonly at: string
  /** The days before it, shape [100, 1]. */
  readonly instance: readonly (readonly [number])[]
  readonly truth: number
}

/**
 * Walk number `n` of a seed: a series of its own, with steps of the same law as the historical series and a level
 * drawn from it. Walks are independent of each other.
 */
export function toWalk(n: number, seed = 1): LiveRow {
  const random = toRandom(seed, n)
  const level = LEVELS[Math.floor(random(0, LEVELS.length))] ?? 0
  const values = toWalkValues(STEPS + 1, level, random)
  return toRow(`walk-${String(n).padStart(6, '0')}`, addDays(LIVE_DATE, n % 365), values)
}

/**
 * Rows `from` to `from + count - 1` of one long walk that goes on from the end of the historical series: each row
 * is the last one moved on by a day, so that rows and their losses depend on each other.
 */
export function* toLongWalk(from: number, count: number, seed = 1): Generator<LiveRow> {
  const values = toWalkValues(from + count + STEPS, LEVELS.at(-1) ?? 0, toRandom(seed, LONG_WALK_STREAM))
  for (let row = from; row < from + count; row++) {
    yield toRow('long-walk', addDays(LIVE_DATE, row), values.slice(row, row + STEPS + 1))
  }
}

const LEVELS = toHistory().map(day => day.value)
/** The first day to predict. */
const LIVE_DATE = '2026-01-01'
/** Beyond every number of a walk. */
const LONG_WALK_STREAM = 0xffffffff

function toRow(series: string, at: string, values: readonly number[]): LiveRow {
  const instance = values.slice(0, -1).map((value): readonly [number] => [value])
  return { series, at, instance, truth: values.at(-1) ?? 0 }
}
