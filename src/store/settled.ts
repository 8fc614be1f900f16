import type { PredictedValue } from '../core/wire/records.ts'
import { STATE } from './schema.ts'

/** One row of a request: what a truth is about. */
export interface Subject {
  readonly request: string
  readonly row: number
}

/** One variant's prediction of one row, with what the database knows of its truth. */
export interface Answered extends Subject {
  readonly variant: number
  readonly value: string
  readonly state: number
  readonly loss: number | null
  readonly weight: number | null
  readonly covariate: number | null
  readonly entity: string | null
  readonly series: string | null
  readonly target_at: number | null
  readonly at: number
  readonly epoch: number
  /** 1: chance drew the variant, and the client got its answer. */
  readonly drawn: number
  /** Values of the truth by its id, with its revision, and of the one by series and time. */
  readonly by_id: string | null
  readonly revision: number | null
  readonly by_series: string | null
}

/** What became of a prediction. */
export interface Outcome {
  readonly state: number
  readonly loss: number | null
  readonly weight: number | null
}

/** A prediction before and after it was settled. */
export interface Settled {
  readonly answered: Answered
  readonly truth: string | null
  readonly after: Outcome
}

/** When predictions are settled. */
export interface When {
  /** Epoch ms. */
  readonly now: number
  /** The truths have just come; they were here before their predictions otherwise. */
  readonly isTruthNew: boolean
}

/** Of a prediction whose truth is still to come, or is of another kind. */
export const WAITING: Outcome = { state: STATE.waiting, loss: null, weight: null }

/** Whether a prediction is no longer what the database has. */
export function isChanged({ answered, after }: Settled): boolean {
  return answered.state !== after.state || answered.loss !== after.loss || answered.weight !== after.weight
}

/** What is settled, row by row. */
export function groupRows(settled: readonly Settled[]): Iterable<readonly Settled[]> {
  const rows = new Map<string, Settled[]>()
  for (const one of settled) {
    const id = `${one.answered.request}/${one.answered.row}`
    const row = rows.get(id)
    if (row === undefined) rows.set(id, [one])
    else row.push(one)
  }
  return rows.values()
}

/** The loss of a prediction that is judged. */
export function toCounted({ loss, state }: Outcome): number | null {
  return state === STATE.counted ? loss : null
}

/** The loss of a prediction that is too young to be judged. */
export function toYoung({ loss, state }: Outcome): number | null {
  return state === STATE.young ? loss : null
}

/** By requests, then rows: ids of requests go by time. */
export function compareRequests({ answered: a }: Settled, { answered: b }: Settled): number {
  return a.request < b.request ? -1 : a.request > b.request ? 1 : a.row - b.row
}

/** Reads a value that this room wrote. */
export function parseValue(text: string): PredictedValue {
  return JSON.parse(text) as PredictedValue
}
