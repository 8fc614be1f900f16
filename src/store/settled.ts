import type { PredictedValue } from '../core/wire/records.ts'
import { STATE } from './schema/schema.ts'

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

/** A prediction, and the truth that it is judged by; null where there is none. */
export interface Judged {
  readonly answered: Answered
  readonly truth: string | null
}

/** What became of a prediction. */
export interface Outcome {
  readonly state: number
  readonly loss: number | null
  readonly weight: number | null
}

/** A prediction before and after it was settled. */
export interface Settled extends Judged {
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

/** How a row is named within a transaction. */
export function toSubjectId({ request, row }: Subject): string {
  return `${request}/${row}`
}

/** All predictions of each row, by its name. They mostly come one after the other. */
export function groupRows(answered: readonly Answered[]): ReadonlyMap<string, readonly Answered[]> {
  const rows = new Map<string, Answered[]>()
  let last: Answered[] = []
  for (const one of answered) {
    if (last[0]?.request !== one.request || last[0].row !== one.row) {
      const id = toSubjectId(one)
      last = rows.get(id) ?? []
      rows.set(id, last)
    }
    last.push(one)
  }
  return rows
}

/** The loss of a prediction that is judged. */
export function toCounted({ loss, state }: Outcome): number | null {
  return state === STATE.counted ? loss : null
}

/** The loss of a prediction that is too young to be judged. */
export function toYoung({ loss, state }: Outcome): number | null {
  return state === STATE.young ? loss : null
}

/** Rows of requests in the order of time, which ids of requests go by. */
export function compareRows([a]: readonly Judged[], [b]: readonly Judged[]): number {
  if (a === undefined || b === undefined) return 0
  const [one, other] = [a.answered, b.answered]
  return one.request < other.request ? -1 : one.request > other.request ? 1 : one.row - other.row
}

/** Reads a value that this room wrote. */
export function parseValue(text: string): PredictedValue {
  return JSON.parse(text) as PredictedValue
}
