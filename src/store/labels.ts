import type { StoredLabel } from './facts/prediction.ts'
import type { TruthSubject } from './facts/truth.ts'
import { toSeriesKey } from './series-key.ts'
import { parseValue } from './settled.ts'
import { bulk, type Sql } from './sql.ts'

/** The answers of replicas that truths are about, with the truth that counts. */
export async function readLabels(sql: Sql, subjects: readonly TruthSubject[]): Promise<readonly StoredLabel[]> {
  const byId = subjects.flatMap(subject => (subject.by === 'prediction' ? [subject.id] : []))
  const bySeries = subjects.flatMap(subject =>
    subject.by === 'series' ? [{ series: toSeriesKey(subject.series), at: subject.at }] : [],
  )
  const [ofIds, ofSeries] = await Promise.all([sql.bulk(listById, byId), sql.bulk(listBySeries, bySeries)])
  return [...ofIds, ...ofSeries].map(({ value, truth, ...label }) => {
    return { ...label, prediction: parseValue(value), truth: parseValue(truth) }
  })
}

type LabelRow = Pick<StoredLabel, 'request' | 'row' | 'variant' | 'replica'> & {
  readonly value: string
  readonly truth: string
}

const COLUMNS = 'p.request, p.row, p.variant, a.replica, p.value, coalesce(t.value, o.value) as truth'
const WITH_TRUTH = `join answer a on a.request = p.request and a.variant = p.variant
    left join truth t on t.request = p.request and t.row = p.row
    left join observation o on o.series = p.series and o.at = p.target_at
  where a.replica <> '' and coalesce(t.value, o.value) is not null`

const SUBJECT = { request: 'uuid', row: 'integer' } as const
const listById = bulk<typeof SUBJECT, LabelRow>(
  SUBJECT,
  from => `select ${COLUMNS}
    from ${from} join prediction p on p.request = input.request and p.row = input.row ${WITH_TRUTH}`,
)
const TARGET = { series: 'text', at: 'integer' } as const
const listBySeries = bulk<typeof TARGET, LabelRow>(
  TARGET,
  from => `select ${COLUMNS}
    from ${from} join prediction p on p.series = input.series and p.target_at = input.at
      and p.request = (select l.request from prediction l where l.series = input.series and l.target_at = input.at
        order by l.request desc limit 1) ${WITH_TRUTH}`,
)
