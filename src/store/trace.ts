import type { PredictionId } from '../core/uuid.ts'
import type { StoredVariant } from './facts/deployment.ts'
import type { StoredAnswer, StoredPrediction } from './facts/prediction.ts'
import { parseValue } from './settled.ts'
import type { Sql } from './sql.ts'

/** One prediction with every variant's answer, the served one first, and the truth that counts for it. */
export async function readPrediction(sql: Sql, id: PredictionId): Promise<StoredPrediction | undefined> {
  const rows = await sql.all(
    sql.build
      .selectFrom('prediction as p')
      .innerJoin('answer as a', join => join.onRef('a.request', '=', 'p.request').onRef('a.variant', '=', 'p.variant'))
      .innerJoin('variant as v', 'v.id', 'p.variant')
      .select([
        'p.value',
        'p.loss',
        'p.series',
        'p.target_at',
        'a.at',
        'a.epoch',
        'a.served',
        'a.replica',
        'a.latency_us',
      ])
      .select(['v.id', 'v.name', 'v.version', 'v.digest', 'v.at as registered_at'])
      .where('p.request', '=', id.request)
      .where('p.row', '=', id.row)
      .orderBy('a.served', 'desc')
      .orderBy('p.variant')
      .compile(),
  )
  const [first] = rows
  if (first === undefined) return undefined
  return { id, at: first.at, answers: rows.map(toAnswer), truth: await readTruth(sql, id, first) }
}

async function readTruth(
  sql: Sql,
  { request, row }: PredictionId,
  { series, target_at: at }: { readonly series: string | null; readonly target_at: number | null },
): Promise<StoredPrediction['truth']> {
  const byId = sql.build.selectFrom('truth').select(['value', 'revision'])
  const bySeries = sql.build.selectFrom('observation').select(['value', 'revision'])
  const found =
    (await sql.get(byId.where('request', '=', request).where('row', '=', row).compile())) ??
    (series === null || at === null
      ? undefined
      : await sql.get(bySeries.where('series', '=', series).where('at', '=', at).compile()))
  return found === undefined ? undefined : { value: parseValue(found.value), revision: found.revision }
}

interface AnswerRow {
  readonly id: number
  readonly name: string
  readonly version: number
  readonly digest: string
  readonly registered_at: number
  readonly epoch: number
  readonly served: number
  readonly replica: string
  readonly latency_us: number
  readonly value: string
  readonly loss: number | null
}

function toAnswer(row: AnswerRow): StoredAnswer {
  const { id, name, version, digest, registered_at: at } = row
  return {
    // Names and digests were parsed before they came in.
    variant: { id, name, version, digest, at } as StoredVariant,
    epoch: row.epoch,
    served: row.served === 1,
    replica: row.replica,
    latencyUs: row.latency_us,
    prediction: parseValue(row.value),
    loss: row.loss ?? undefined,
  }
}
