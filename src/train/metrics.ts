import { isObject, type JsonObject } from '../core/json.ts'
import type { MetricPoint } from './record.ts'

/** What one line of the command's output says of its progress. */
export interface MetricLine {
  /** `epoch` or `step` of the line; undefined where it has neither. */
  readonly step: number | undefined
  readonly values: Readonly<Record<string, number>>
  /** Names whose value was NaN or infinite. */
  readonly notFinite: readonly string[]
}

const MAX_METRICS = 64
const MAX_POINTS = 10_000
const STEPS = ['epoch', 'step']

/**
 * Reads a line such as `{"epoch":3,"loss":1.5}`; undefined where it is no JSON object with a number beside its step.
 * NaN and Infinity are read too, as Python's `json` writes them.
 */
export function parseMetricLine(line: string): MetricLine | undefined {
  const object = parseObject(line.trim())
  if (object === undefined) return undefined
  const [step] = STEPS.map(name => object[name]).filter(value => typeof value === 'number' && Number.isFinite(value))
  const named = Object.entries(object).filter(([name]) => !STEPS.includes(name))
  const values = named.filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  const finite = values.filter(([, value]) => Number.isFinite(value))
  const notFinite = [...values.filter(([, value]) => !Number.isFinite(value)), ...named.filter(isNotFiniteText)]
  if (finite.length + notFinite.length === 0) return undefined
  return {
    step: typeof step === 'number' ? step : undefined,
    values: Object.fromEntries(finite),
    notFinite: notFinite.map(([name]) => name),
  }
}

const NOT_FINITE = 'not finite: '

function isNotFiniteText([, value]: readonly [string, unknown]): boolean {
  return typeof value === 'string' && value.startsWith(NOT_FINITE)
}

function parseObject(text: string): JsonObject | undefined {
  if (!text.startsWith('{') || !text.endsWith('}')) return undefined
  return parseStrict(text) ?? parseStrict(text.replaceAll(/:\s*(NaN|-?Infinity)(?=\s*[,}])/g, `:"${NOT_FINITE}$1"`))
}

function parseStrict(json: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** One metric's points, thinned so that at most `MAX_POINTS` stay. */
interface Series {
  points: MetricPoint[]
  last: MetricPoint
  seen: number
  /** Every `stride`-th point is kept: a power of two. */
  stride: number
}

/** Collects the metrics of a run within bounds: 64 names, and 10 000 points each, evenly thinned beyond that. */
export class MetricLog {
  readonly #series = new Map<string, Series>()
  readonly #notFinite = new Map<string, number>()
  readonly #refused = new Set<string>()
  #lines = 0

  /** Takes one line in and returns its step: its own, else the count of such lines. `at` is epoch ms. */
  add({ step, values, notFinite }: MetricLine, at: number): number {
    this.#lines++
    const place = step ?? this.#lines
    for (const [name, value] of Object.entries(values)) this.#addPoint(name, { step: place, value, at })
    for (const name of notFinite) this.#countNotFinite(name)
    return place
  }

  #countNotFinite(name: string): void {
    const count = this.#notFinite.get(name)
    if (count !== undefined || this.#notFinite.size < MAX_METRICS) this.#notFinite.set(name, (count ?? 0) + 1)
  }

  #addPoint(name: string, point: MetricPoint): void {
    const series = this.#series.get(name) ?? { points: [], last: point, seen: 0, stride: 1 }
    if (series.seen === 0) {
      if (this.#series.size >= MAX_METRICS) {
        if (this.#refused.size < MAX_METRICS) this.#refused.add(name)
        return
      }
      this.#series.set(name, series)
    }
    if (series.seen % series.stride === 0) series.points.push(point)
    series.seen++
    series.last = point
    if (series.points.length <= MAX_POINTS) return
    series.points = series.points.filter((_, index) => index % 2 === 0)
    series.stride *= 2
  }

  /** Every series in the order it came, with its last point always there. */
  toRecord(): Readonly<Record<string, readonly MetricPoint[]>> {
    return Object.fromEntries(
      [...this.#series].map(([name, { points, last }]) => [name, points.at(-1) === last ? points : [...points, last]]),
    )
  }

  /** What is not in the record, for people. */
  toNotes(): string[] {
    const thinned = [...this.#series].filter(([, { stride }]) => stride > 1)
    return [
      ...thinned.map(([name, { seen, stride }]) => `${toLabel(name)}: one of ${stride} of its ${seen} points is kept`),
      ...[...this.#notFinite].map(([name, count]) => `${toLabel(name)}: ${count} values were NaN or infinite`),
      ...(this.#refused.size === 0
        ? []
        : [`more than ${MAX_METRICS} metrics: not kept are ${[...this.#refused].join(', ').slice(0, 1000)}`]),
    ]
  }
}

const toLabel = (name: string): string => `metric "${name.length > 200 ? `${name.slice(0, 200)}…` : name}"`
