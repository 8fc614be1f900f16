import type { HistogramState } from './histogram.ts'

/** Metrics of one name. */
export interface Family {
  /** That of a counter ends in `_total`, but for names that are other programs'. */
  readonly name: string
  readonly help?: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly series: readonly Series[]
}

/** One series of a family. */
export interface Series {
  readonly labels: Labels
  readonly value: number | HistogramState
}

/** Names and values that tell a series from its neighbours. */
export type Labels = Readonly<Record<string, string>>

/** A page of metrics. */
export interface MetricsPage {
  readonly text: string
  readonly contentType: string
}

const TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/**
 * Prints families in the format that the reader takes: OpenMetrics 1.0, the one that carries exemplars, where its
 * `Accept` header names it, else Prometheus' text format 0.0.4.
 */
export function toMetricsPage(families: readonly Family[], accept = ''): MetricsPage {
  const isOpen = accept
    .split(',')
    .some(range => /^\s*application\/openmetrics-text\b/i.test(range) && !/;\s*q=0(\.0*)?\s*(;|$)/.test(range))
  const text = families.map(family => toFamilyText(family, isOpen)).join('')
  return isOpen ? { text: `${text}# EOF\n`, contentType: OPEN_METRICS_TYPE } : { text, contentType: TEXT_TYPE }
}

/** Puts the series of equally named families together. */
export function mergeFamilies(families: readonly Family[]): readonly Family[] {
  const merged = new Map<string, Family>()
  for (const family of families) {
    const before = merged.get(family.name)?.series ?? []
    merged.set(family.name, { ...family, series: [...before, ...family.series] })
  }
  return [...merged.values()]
}

function toFamilyText({ name, help, kind, series }: Family, isOpen: boolean): string {
  // OpenMetrics names a counter's family without the suffix of its samples.
  const title = isOpen && kind === 'counter' ? name.replace(/_total$/, '') : name
  const head = [...(help === undefined ? [] : [`# HELP ${title} ${escapeText(help)}`]), `# TYPE ${title} ${kind}`]
  const lines = series.flatMap(({ labels, value }) =>
    typeof value === 'number'
      ? `${name}${toLabelsText(labels)} ${toNumberText(value)}`
      : toHistogramLines(name, labels, value, isOpen),
  )
  return `${[...head, ...lines].join('\n')}\n`
}

function toHistogramLines(name: string, labels: Labels, state: HistogramState, isOpen: boolean): readonly string[] {
  const { bounds, exemplars, sum } = state
  let count = 0
  const buckets = Array.from(state.counts, (inside, at) => {
    count += inside
    const exemplar = exemplars[at]
    const example =
      isOpen && exemplar !== undefined
        ? ` # {trace_id="${exemplar.traceId}"} ${exemplar.value} ${exemplar.at / 1000}`
        : ''
    return `${name}_bucket${toLabelsText({ ...labels, le: toBoundText(bounds[at], isOpen) })} ${count}${example}`
  })
  const text = toLabelsText(labels)
  return [...buckets, `${name}_sum${text} ${toNumberText(sum)}`, `${name}_count${text} ${count}`]
}

/** OpenMetrics 1.0, "Considerations: Canonical Numbers": bounds are written as floats. */
function toBoundText(bound: number | undefined, isOpen: boolean): string {
  if (bound === undefined) return '+Inf'
  return isOpen && Number.isInteger(bound) ? `${bound}.0` : String(bound)
}

function toLabelsText(labels: Labels): string {
  const texts = Object.entries(labels).map(([name, value]) => `${name}="${escapeText(value).replaceAll('"', '\\"')}"`)
  return texts.length === 0 ? '' : `{${texts.join(',')}}`
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function toNumberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}
