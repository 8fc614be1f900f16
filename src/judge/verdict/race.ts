import type { SequenceRule } from '../sequence/multiplier.ts'

/** What a verdict is decided by; fixed when the race starts. Gains and margins are in units of the loss. */
export interface RaceRule extends SequenceRule {
  readonly design: 'paired' | 'split'
  /** Labels of one series depend on each other: dyadic blocking and its gates apply. */
  readonly dependent: boolean
  /** Rows of one season; 1: none. */
  readonly season: number
  /** Smallest improvement worth promoting. */
  readonly minGain: number
  /** Half-width of "equivalent"; 0: never. */
  readonly margin: number
  /** Losses are 0 or 1: gates count discordant pairs and events. */
  readonly binary: boolean
  /** Losses lie in a known range or are capped, so that no label to come can outweigh the others. @default false */
  readonly boundedLoss?: boolean
  /** Only exact bounds may decide. @default false */
  readonly strict?: boolean
  /** Labels after which a race without a verdict is inconclusive. @default none */
  readonly budgetLabels?: number
}

/** What a verdict was reached by. */
export type Design = 'paired' | 'split' | 'epochs' | 'clustered' | 'adjusted' | 'dependent' | 'bounded'

/**
 * What the race says now.
 * - `warming-up`: the gates do not let it decide yet.
 * - `keep-racing`: no difference is certain yet.
 * - `promote-B`: B is better by more than the smallest wanted gain.
 * - `keep-A`: A is better, or B gains less than wanted.
 * - `equivalent`: the difference lies within the margin.
 * - `inconclusive`: the race was ended before it could decide.
 */
export type VerdictState = 'warming-up' | 'keep-racing' | 'promote-B' | 'keep-A' | 'equivalent' | 'inconclusive'

/** One gate of the readiness rules: what it wants and what it found. */
export interface Gate {
  readonly name: string
  readonly passed: boolean
  /** For people: what is missing, such as "100 pairs wanted, 37 found". */
  readonly detail: string
}

/** The race's state: improvement of B over A (positive: B is better), valid at any time. */
export interface Verdict {
  readonly state: VerdictState
  /** Why, in one sentence that a data scientist understands. */
  readonly reason: string
  readonly design: Design
  readonly estimate: number
  readonly se: number
  /** Labels that count (pairs, or both arms together). */
  readonly n: number
  /** Confidence sequence; undefined below two labels, and where a difference other than 0 never varied. */
  readonly lower: number | undefined
  readonly upper: number | undefined
  /** Running evidence against "no difference": natural logarithm of the e-value, and the p-value from it. */
  readonly logE: number
  readonly p: number
  readonly gates: readonly Gate[]
}
