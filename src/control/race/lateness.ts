import { Histogram, type MetricObjectWithValues, type MetricValueWithName, type Registry } from 'prom-client'
import { type Durations, toBucketBounds } from '../../store/index.ts'

/** From a second to a month, s. */
const BOUNDS = [1, 10, 60, 600, 3600, 21_600, 86_400, 604_800, 2_592_000]

type Label = 'race' | 'variant'
type Values = MetricObjectWithValues<MetricValueWithName<Label>>

const CONFIGURATION = {
  name: 'regatta_truth_lateness_seconds',
  help: 'Time from a prediction to its truth',
  labelNames: ['race', 'variant'] satisfies Label[],
  buckets: BOUNDS,
}

/** A variant's buckets in the database, under the labels that they are shown with. */
export interface LatenessRow {
  readonly labels: Readonly<Record<Label, string>>
  readonly buckets: Durations['buckets']
}

/**
 * How long truths took, from the prediction, as the database counts it: the same whichever control took them in. A
 * duration is known to 19 %, which is where the edges of the buckets are.
 */
export class LatenessHistogram extends Histogram<Label> {
  #rows: readonly LatenessRow[] = []
  /** Tells what is the same of every metric of this name. */
  readonly #empty = new Histogram<Label>({ ...CONFIGURATION, registers: [] })

  constructor(registry: Registry) {
    super({ ...CONFIGURATION, registers: [registry] })
  }

  /** Shows these in the place of those before. */
  show(rows: readonly LatenessRow[]): void {
    this.#rows = rows
  }

  override async get(): Promise<Values> {
    return { ...(await this.#empty.get()), values: this.#rows.flatMap(toValues) }
  }

  /** What the registry asks for the text format. */
  async getForPromString(): Promise<Values> {
    return await this.get()
  }
}

function nameOf(part: 'bucket' | 'sum' | 'count'): string {
  return `${CONFIGURATION.name}_${part}`
}

function toValues({ buckets, labels }: LatenessRow): Values['values'] {
  const total = buckets.reduce((sum, { count }) => sum + count, 0)
  const upTo = (bound: number): number =>
    buckets.reduce((sum, { bucket, count }) => sum + (toBucketBounds(bucket).fromMs <= bound * 1000 ? count : 0), 0)
  const seconds = buckets.reduce((sum, { bucket, count }) => sum + (count * toMiddleMs(bucket)) / 1000, 0)
  return [
    ...BOUNDS.map(le => ({ metricName: nameOf('bucket'), labels: { ...labels, le: String(le) }, value: upTo(le) })),
    { metricName: nameOf('bucket'), labels: { ...labels, le: '+Inf' }, value: total },
    { metricName: nameOf('sum'), labels, value: seconds },
    { metricName: nameOf('count'), labels, value: total },
  ]
}

function toMiddleMs(bucket: number): number {
  const { fromMs, upToMs } = toBucketBounds(bucket)
  return Math.sqrt(fromMs * upToMs)
}
