import {
  type ArmNames,
  type BoundedState,
  type Evidence,
  emptyBounded,
  emptyMoments,
  fold,
  foldBounded,
  judgeRace,
  toDependentEvidence,
  toReach,
  type Verdict,
} from '../judge/index.ts'
import type { Decision, RaceEnd, Scoreboard, StoredRace } from '../store/index.ts'
import type { RacePointJson, VerdictJson } from './api.ts'
import { toRaceRule } from './race-rule.ts'

/** Points of a series that is made anew from the differences. */
const REBUILT_POINTS = 100

/** Whether a race of this kind is judged by its differences in the order of time, not by sums. */
export function needsDifferences({ design, spec }: Pick<StoredRace, 'design' | 'spec'>): boolean {
  return design === 'paired' && (spec.task === 'forecast' || spec.strict)
}

/** A race with what it is judged by. */
export interface Judged {
  readonly race: StoredRace
  /** Comparisons that it shares alpha with. */
  readonly comparisons: number
  readonly board: Scoreboard
  readonly differences: Float64Array | undefined
}

/** Judges a race on its sums, and a race of forecasts or one with exact bounds on its differences. */
export function judge({ race, comparisons, board, differences }: Judged, names: ArmNames): Verdict {
  return judgeRace(toRaceRule(race, comparisons), toEvidence(race, board, differences), names)
}

function toEvidence({ design, spec }: StoredRace, board: Scoreboard, differences: Float64Array | undefined): Evidence {
  if (differences !== undefined) {
    const reach = spec.strict ? toReach(spec, undefined) : undefined
    if (reach === undefined) return toDependentEvidence(differences, spec.season)
    return { kind: 'bounded', state: differences.reduce<BoundedState>(foldBounded, emptyBounded), reach }
  }
  if (design === 'split') return { kind: 'split', epochs: board.epochs }
  return { kind: 'paired', moments: board.paired, discordant: board.discordant, dominance: board.dominance }
}

/** A verdict that ends the doubt: the first of a race is written down as its decision. */
export function isDecided(state: string): state is 'promote-B' | 'keep-A' | 'equivalent' {
  return state === 'promote-B' || state === 'keep-A' || state === 'equivalent'
}

/** The decision to write for a verdict. Without a spread the bounds are the estimate itself. */
export function toDecision(race: number, at: number, verdict: Verdict): Decision {
  const { state, reason, n, estimate, se, logE, p } = verdict
  const { lower = estimate, upper = estimate } = verdict
  return { race, at, state, reason, n, estimate, se, lower, upper, logE, p }
}

/** A decision as it was written. */
export function toDecisionJson(decision: Decision): VerdictJson & { readonly at: string } {
  const { estimate, lower, upper, se, n: labels, p, logE, reason } = decision
  const state = isDecided(decision.state) ? decision.state : 'inconclusive'
  const at = new Date(decision.at).toISOString()
  return { state, reason, estimate, lower, upper, se, labels, p, logE, gates: [], at }
}

/** What is shown of a race. */
export interface Shown {
  readonly verdict: VerdictJson
  readonly drift: boolean
}

/**
 * Turns what the judge says now into what is shown. A decision stands: nothing takes it back in silence. Where the
 * bounds of now have no value in common with the decision's, both cannot be right, and that is called drift (of the
 * data, for both hold with the promised probability while the data stay the same).
 */
export function toShown(now: Verdict, decision: Decision | undefined, ended: StoredRace['ended']): Shown {
  const verdict = toVerdictJson(now)
  if (decision !== undefined) return toHeld(verdict, decision)
  if (ended === undefined || isDecided(now.state)) return { verdict, drift: false }
  const reason = `${ENDED[ended.how]} before it could decide: ${now.reason}`
  return { verdict: { ...verdict, state: 'inconclusive', reason }, drift: false }
}

const ENDED = {
  promoted: 'The race ended',
  replaced: 'The race ended',
  deleted: 'The race ended',
  stopped: 'The challenger was stopped',
  spent: 'The race has spent its budget',
} as const satisfies Record<RaceEnd, string>

function toHeld(now: VerdictJson, decision: Decision): Shown {
  const { state, reason: then } = toDecisionJson(decision)
  const { lower, upper } = now
  const reason = now.state === state ? now.reason : then
  const apart = lower !== null && upper !== null && (lower > decision.upper || upper < decision.lower)
  const drift = apart && now.gates.every(gate => gate.passed)
  const but = drift
    ? `; but the live data of now contradict this: the improvement is between ${toShort(lower)} and ${toShort(upper)}`
    : ''
  return { verdict: { ...now, state, reason: `${reason}${but}` }, drift }
}

function toShort(x: number): string {
  return String(Number(x.toPrecision(3)))
}

/** A verdict of the judge as JSON, which has no undefined: what too few labels cannot tell is null. */
export function toVerdictJson(verdict: Verdict): VerdictJson {
  const { state, reason, n, estimate, lower = null, upper = null, se, p, logE, gates } = verdict
  return {
    state,
    reason,
    estimate: n === 0 ? null : estimate,
    lower,
    upper,
    se: n < 2 ? null : se,
    labels: n,
    p,
    logE,
    gates,
  }
}

/** The point of a verdict in the race's series; undefined before the first label. */
export function toPoint(verdict: Verdict, at: number | undefined): RacePointJson | undefined {
  const { n, estimate, lower = null, upper = null } = verdict
  if (n === 0) return undefined
  return { n, at: at === undefined ? null : new Date(at).toISOString(), estimate, lower, upper }
}

/** The series of a paired race that went on while nobody watched, from its differences. */
export function toRebuiltPoints(
  race: StoredRace,
  comparisons: number,
  differences: Float64Array,
): readonly RacePointJson[] {
  const rule = toRaceRule(race, comparisons)
  const count = Math.min(REBUILT_POINTS, differences.length)
  let moments = emptyMoments
  let from = 0
  return Array.from({ length: count }, (_, index) => {
    const to = Math.round(((index + 1) * differences.length) / count)
    for (const difference of differences.subarray(from, to)) moments = fold(moments, difference)
    from = to
    const evidence: Evidence = rule.dependent
      ? toDependentEvidence(differences.subarray(0, to), rule.season)
      : { kind: 'paired', moments, discordant: 0, dominance: 0 }
    return toPoint(judgeRace(rule, evidence), undefined)
  }).filter(point => point !== undefined)
}
