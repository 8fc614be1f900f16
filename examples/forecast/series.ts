import { type Random, toRandom } from './random.ts'

/** One day of a series; `date` is ISO 8601. */
export interface Day {
  readonly date: string
  readonly value: number
}

const FIRST_DATE = '2000-01-01'
const LAST_DATE = '2018-09-21'
const SERIES_SEED = 1999

/** The historical series: a random walk over every day from 2000-01-01 to 2018-09-21, the same on every machine. */
export function toHistory(): Day[] {
  const values = toWalkValues(toDayNumber(LAST_DATE) - toDayNumber(FIRST_DATE) + 1, 0, toRandom(SERIES_SEED))
  return values.map((value, i) => ({ date: addDays(FIRST_DATE, i), value }))
}

/** A walk of `count` values that starts one step away from `level`; each step is uniform between -10 and 10. */
export function toWalkValues(count: number, level: number, random: Random): number[] {
  let value = level
  return Array.from({ length: count }, () => {
    value = round(value + random(-10, 10))
    return value
  })
}

/** The history as CSV text with the header `date,value`. */
export function toCsv(days: readonly Day[]): string {
  return ['date,value', ...days.map(day => `${day.date},${day.value}`), ''].join('\n')
}

/** Reads CSV text of `date,value`. @throws where a line is anything else */
export function parseCsv(text: string): Day[] {
  const [header, ...lines] = text.trimEnd().split('\n')
  if (header !== 'date,value')
    throw new Error(`Cannot read the series: expected header "date,value", found "${header}"`)
  return lines.map((line, i) => {
    const match = /^(\d{4}-\d{2}-\d{2}),(-?\d+(?:\.\d+)?)$/.exec(line)
    if (match === null)
      throw new Error(`Cannot read line ${i + 2} of the series: expected DATE,NUMBER, found "${line}"`)
    return { date: match[1] ?? '', value: Number(match[2]) }
  })
}

/** The date `days` after `date`, both ISO 8601. */
export function addDays(date: string, days: number): string {
  return new Date((toDayNumber(date) + days) * DAY_MS).toISOString().slice(0, 10)
}

const DAY_MS = 86_400_000
const toDayNumber = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY_MS

/** Four decimals, so that the CSV holds exactly the numbers that are used. */
const round = (value: number): number => Math.round(value * 1e4) / 1e4
