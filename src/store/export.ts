import type { PredictedValue } from '../core/wire/records.ts'
import { parseValue } from './outcomes.ts'
import { STATE } from './schema.ts'
import { type Sql, statement } from './sql.ts'

/** What a reader of outcomes has passed: the last that it was given. */
export type OutcomeCursor = Pick<StoredOutcome, 'request' | 'row' | 'variant'>

/** One variant's prediction of one row, joined to its truth. */
export interface StoredOutcome {
  readonly request: string
  readonly row: number
  /** Id of the variant. */
  readonly variant: number
  readonly epoch: number
  readonly at: number
  readonly served: boolean
  readonly propensity: number
  readonly series: string | undefined
  readonly targetAt: number | undefined
  readonly prediction: PredictedValue
  readonly truth: PredictedValue
  /** Undefined where the truth gives none. */
  readonly loss: number | undefined
}

/** The next outcomes of a race, in the order of their ids. */
export function readOutcomes(
  sql: Sql,
  race: number,
  after: OutcomeCursor = FIRST,
  limit: number,
): readonly StoredOutcome[] {
  const { request, row, variant } = after
  return sql.all(listOutcomes(request, request, row, variant, race, limit)).map(toOutcome)
}

/** Before every outcome. */
const FIRST: OutcomeCursor = { request: '', row: -1, variant: -1 }

interface OutcomeRow extends OutcomeCursor {
  readonly epoch: number
  readonly at: number
  readonly served: number
  readonly propensity: number
  readonly series: string | null
  readonly target_at: number | null
  readonly value: string
  readonly truth: string
  readonly loss: number | null
}

function toOutcome({ value, truth, served, series, target_at, loss, ...row }: OutcomeRow): StoredOutcome {
  return {
    ...row,
    served: served === 1,
    series: series ?? undefined,
    targetAt: target_at ?? undefined,
    prediction: parseValue(value),
    truth: parseValue(truth),
    loss: loss ?? undefined,
  }
}

// The first condition is for the index, which the comparison of rows does not use.
const listOutcomes = statement<[string, string, number, number, number, number], OutcomeRow>(
  `select p.request, p.row, p.variant, a.epoch, a.at, a.served, a.propensity, p.series, p.target_at, p.value,
      coalesce(t.value, o.value) as truth, p.loss
    from prediction p join answer a on a.request = p.request and a.variant = p.variant
      left join truth t on t.request = p.request and t.row = p.row
      left join observation o on o.series = p.series and o.at = p.target_at
    where p.request >= ? and (p.request, p.row, p.variant) > (?, ?, ?) and a.race = ? and p.state <> ${STATE.waiting}
    order by p.request, p.row, p.variant limit ?`,
)
