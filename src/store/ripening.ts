import { Outcomes } from './outcomes.ts'
import { readRaces } from './races.ts'
import { STATE } from './schema/schema.ts'
import { type Sql, statement } from './sql.ts'
import { raise, readCounter } from './sums/counters.ts'
import { toInstant, toKeyFloor } from './sums/days.ts'

/** Rows that one transaction looks at. */
const ROWS_PER_STEP = 2000

/**
 * Settles predictions whose age has come to what their race judges from, so that truths which came before count now;
 * one transaction's work. Says whether there is more to do.
 */
export async function ripen(sql: Sql, now: number): Promise<boolean> {
  const running = (await readRaces(sql)).filter(({ ended }) => ended === undefined)
  // Races side by side have one rule.
  const maturityMs = running[0]?.spec.maturityMs ?? 0
  if (maturityMs === 0) return false
  const from = Math.max(await readCounter(sql, 'ripened-before'), Math.min(...running.map(race => race.startedAt)))
  const to = now - maturityMs
  if (from >= to) return false
  const rows = await sql.all(listWaiting(toKeyFloor(from), toKeyFloor(to), ROWS_PER_STEP))
  const outcomes = new Outcomes(sql, { now, isTruthNew: false })
  await outcomes.settleRows(rows)
  await outcomes.flush()
  const last = rows.length < ROWS_PER_STEP ? undefined : rows.at(-1)
  // The next step looks at the last request's millisecond again, unless that alone filled this one.
  await raise(sql, 'ripened-before', last === undefined ? to : Math.max(from + 1, toInstant(last.request)))
  return last !== undefined
}

const listWaiting = statement<[string, string, number], { readonly request: string; readonly row: number }>(
  `select request, row from prediction where request >= ? and request < ?
      and state in (${STATE.waiting}, ${STATE.young})
    group by request, row order by request, row limit ?`,
)
