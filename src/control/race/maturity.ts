import { type Moments, toMissing } from '../../judge/index.ts'
import { type Durations, type Maturity, toDurationMs } from '../../store/index.ts'
import type { LatenessJson, MaturityJson } from '../api/race.ts'

/** What is known of the ages of a race's predictions and of its truths. */
export interface Ages {
  /** Predictions of at least `race.maturity`, to the hour. */
  readonly mature: readonly Maturity[]
  readonly durations: readonly Durations[]
}

/** How far the truths of a variant are, and what the young ones say, which is provisional. */
export function toMaturityJson({ mature }: Ages, variant: number, young: Moments): MaturityJson {
  const own = mature.filter(one => one.variant === variant)
  const predictions = own.reduce((sum, one) => sum + one.predictions, 0)
  const labelled = own.reduce((sum, one) => sum + one.labelled, 0)
  const missing = toMissing({ predicted: predictions, mature: predictions, labelled })
  return {
    ...{ predictions, labelled, missing },
    provisional: { labels: young.count, meanLoss: young.count === 0 ? null : young.mean },
  }
}

/** How long the truths of a variant were waited for; null before the first that came after its prediction. */
export function toLatenessJson({ durations }: Ages, variant: number): LatenessJson | null {
  const buckets = durations
    .filter(one => one.variant === variant && one.name === 'lateness')
    .flatMap(one => one.buckets)
  const [median, p95] = [toDurationMs(buckets, 0.5), toDurationMs(buckets, 0.95)]
  return median === undefined || p95 === undefined ? null : { medianMs: median, p95Ms: p95 }
}
