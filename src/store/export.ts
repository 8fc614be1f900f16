import type { OutcomeCursor, StoredOutcome } from './facts/prediction.ts'
import { STATE } from './schema/schema.ts'
import { parseValue } from './settled.ts'
import { type Sql, statement } from './sql.ts'

/** The next outcomes of a race, in the order of their ids. */
export async function readOutcomes(
  sql: Sql,
  race: number,
  after: OutcomeCursor = FIRST,
  limit: number,
): Promise<readonly StoredOutcome[]> {
  const { request, row, variant } = after
  return (await sql.all(listOutcomes(race, request, request, row, variant, race, limit))).map(toOutcome)
}

/** Before every outcome. */
const FIRST: OutcomeCursor = { request: '00000000-0000-0000-0000-000000000000', row: -1, variant: -1 }

interface OutcomeRow extends OutcomeCursor {
  readonly epoch: number
  readonly at: number
  readonly served: number
  readonly pinned: number
  readonly propensity: number
  readonly latency_us: number
  readonly series: string | null
  readonly target_at: number | null
  readonly entity: string | null
  readonly covariate: number | null
  readonly champion: number
  readonly value: string
  readonly truth: string
  readonly loss: number | null
  readonly input: string | null
  readonly output: string | null
}

function toOutcome({ value, truth, ...row }: OutcomeRow): StoredOutcome {
  const { request, row: number, variant, epoch, at, propensity } = row
  return {
    ...{ request, row: number, variant, epoch, at, propensity },
    served: row.served === 1,
    pinned: row.pinned === 1,
    latencyUs: row.latency_us,
    series: row.series ?? undefined,
    targetAt: row.target_at ?? undefined,
    entity: row.entity ?? undefined,
    covariate: row.covariate ?? undefined,
    champion: row.champion === 1,
    prediction: parseValue(value),
    truth: parseValue(truth),
    loss: row.loss ?? undefined,
    input: row.input ?? undefined,
    output: row.output ?? undefined,
  }
}

// The first condition is for the index: a database may not use it for the comparison of rows.
const listOutcomes = statement<[number, string, string, number, number, number, number], OutcomeRow>(
  `select p.request, p.row, p.variant, a.epoch, a.at, a.served, a.pinned, a.propensity, a.latency_us, p.series,
      p.target_at, p.entity, p.covariate, p.value, coalesce(t.value, o.value) as truth, p.loss, b.output,
      (select count(*) from race c where c.id = ? and c.a = p.variant) as champion,
      (select max(i.input) from body i where i.request = p.request and i.row = p.row) as input
    from prediction p join answer a on a.request = p.request and a.variant = p.variant
      left join truth t on t.request = p.request and t.row = p.row
      left join observation o on o.series = p.series and o.at = p.target_at
      left join body b on b.request = p.request and b.row = p.row and b.variant = p.variant
    where p.request >= ? and (p.request, p.row, p.variant) > (?, ?, ?)
      and exists (select 1 from epoch_race e join race r on r.id = e.race
        where r.id = ? and e.epoch = a.epoch and p.variant in (r.a, r.b))
      and p.state not in (${STATE.waiting}, ${STATE.young})
    order by p.request, p.row, p.variant limit ?`,
)
