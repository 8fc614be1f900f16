import type { PredictionId } from '../../core/uuid.ts'
import type { PredictedValue } from '../../core/wire/records.ts'
import type { StoredVariant } from './deployment.ts'

/** A prediction with all that is known of it. */
export interface StoredPrediction {
  readonly id: PredictionId
  readonly at: number
  readonly answers: readonly StoredAnswer[]
  readonly truth: { readonly value: PredictedValue; readonly revision: number } | undefined
}

/** One variant's answer to it. */
export interface StoredAnswer {
  readonly variant: StoredVariant
  readonly epoch: number
  readonly served: boolean
  readonly replica: string
  readonly latencyUs: number
  readonly prediction: PredictedValue
  readonly loss: number | undefined
}

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
  readonly pinned: boolean
  readonly propensity: number
  readonly latencyUs: number
  readonly series: string | undefined
  readonly targetAt: number | undefined
  /** A digest. */
  readonly entity: string | undefined
  readonly covariate: number | undefined
  /** The variant is the champion of the race. */
  readonly champion: boolean
  readonly prediction: PredictedValue
  readonly truth: PredictedValue
  /** Undefined where the truth gives none. */
  readonly loss: number | undefined
  /** The row of the request and that of the answer as JSON; undefined where they are not logged. */
  readonly input: string | undefined
  readonly output: string | undefined
}

/** One replica's prediction of one row, with what really happened. */
export interface StoredLabel {
  readonly request: string
  readonly row: number
  /** Id of the variant. */
  readonly variant: number
  readonly replica: string
  readonly prediction: PredictedValue
  readonly truth: PredictedValue
}
