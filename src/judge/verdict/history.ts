import type { Verdict, VerdictState } from './race.ts'
import { isDecided } from './verdict.ts'

/** What is remembered of the looks at a race. Plain JSON; one step a look. */
export interface RaceHistory {
  /** The smallest p-value so far, valid at any time: 0–1. */
  readonly p: number
  /** Where the bounds of all looks overlap that the gates let decide; empty (lower > upper) where they contradict. */
  readonly lower: number | null
  readonly upper: number | null
  /** Whether the gates let a look decide yet. */
  readonly ready: boolean
  readonly decision: Decision | null
}

/** The first verdict that ended the doubt, as it is written to the decision log. */
export interface Decision extends Stamp {
  readonly state: 'promote-B' | 'keep-A' | 'equivalent'
  readonly n: number
  readonly estimate: number
  readonly se: number
  /** Null where the difference never varied. */
  readonly lower: number | null
  readonly upper: number | null
}

/** When a look was, and what it was made by. */
export interface Stamp {
  /** Epoch ms; null in a replay of rows without times. */
  readonly at: number | null
  /** Digest of the race's rule. */
  readonly spec: string
  /** Truths taken in by then, or another mark of which truths the look knew. */
  readonly truthRevision: number
}

/** The memory before the first look. */
export const emptyHistory: RaceHistory = { p: 1, lower: null, upper: null, ready: false, decision: null }

/**
 * Adds a look. Of pairs every look counts towards the smallest p; in the other designs those that the gates let
 * decide, for there the first labels say too much (docs/judge-validation.md): the count starts anew with the first.
 */
export function addLook(history: RaceHistory, verdict: Verdict, stamp: Stamp): RaceHistory {
  const ready = verdict.gates.every(gate => gate.passed)
  const early = verdict.design === 'paired' || verdict.design === 'bounded'
  const p = ready && !history.ready && !early ? verdict.p : Math.min(history.p, verdict.p)
  const bounds = ready ? verdict : undefined
  return {
    p: early || ready || !history.ready ? p : history.p,
    lower: overlap(Math.max, history.lower, bounds?.lower),
    upper: overlap(Math.min, history.upper, bounds?.upper),
    ready: history.ready || ready,
    decision: history.decision ?? toDecision(verdict, stamp),
  }
}

/**
 * Whether looks contradict each other: no improvement fits all their bounds. Each held with the promised chance while
 * the data stayed the same, so that the data, most likely, did not.
 */
export function isDrifting({ lower, upper }: RaceHistory): boolean {
  return lower !== null && upper !== null && lower > upper
}

/** The state to show: a decision stands, and nothing takes it back in silence. */
export function toStandingState(history: RaceHistory, verdict: Verdict): VerdictState {
  return history.decision?.state ?? verdict.state
}

function toDecision({ state, n, estimate, se, lower, upper }: Verdict, stamp: Stamp): Decision | null {
  return isDecided(state) ? { ...stamp, state, n, estimate, se, lower: lower ?? null, upper: upper ?? null } : null
}

function overlap(
  pick: (a: number, b: number) => number,
  before: number | null,
  now: number | undefined,
): number | null {
  if (now === undefined) return before
  return before === null ? now : pick(before, now)
}
