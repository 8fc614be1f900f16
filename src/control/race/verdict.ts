import { isDecided, isDrifting, type RaceHistory, type Stamp, type Verdict } from '../../judge/index.ts'
import type { Decision, RaceEnd, StoredRace } from '../../store/index.ts'
import type { DecisionJson, RacePointJson, VerdictJson } from '../api/verdict.ts'

/** The decision to write for a verdict. Without a spread the bounds are the estimate itself. */
export function toDecision(stamp: Stamp & { readonly race: number; readonly at: number }, verdict: Verdict): Decision {
  const { state, reason, n, estimate, se, logE, p } = verdict
  const { lower = estimate, upper = estimate } = verdict
  return { ...stamp, state, reason, n, estimate, se, lower, upper, logE, p }
}

/** A decision as it was written. */
export function toDecisionJson(decision: Decision): DecisionJson {
  const { estimate, lower, upper, se, n: labels, p, logE, reason, spec, truthRevision } = decision
  const state = isDecided(decision.state) ? decision.state : 'inconclusive'
  const at = new Date(decision.at).toISOString()
  return { state, reason, estimate, lower, upper, se, labels, p, logE, gates: [], at, spec, truthRevision }
}

/** What is shown of a race. */
export interface Shown {
  readonly verdict: VerdictJson
  readonly drift: boolean
}

/**
 * Turns what the judge says now into what is shown. A decision stands: nothing takes it back in silence. Where no
 * improvement fits the bounds of all looks that could decide, they contradict each other, and that is called drift (of
 * the data, for all of them hold with the promised probability while the data stay the same).
 */
export function toShown(
  now: Verdict,
  { decision, history }: { readonly decision: Decision | undefined; readonly history: RaceHistory },
  ended: StoredRace['ended'],
): Shown {
  const verdict = { ...toVerdictJson(now), p: history.p }
  if (decision !== undefined) return toHeld(verdict, decision, isDrifting(history))
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

function toHeld(now: VerdictJson, decision: Decision, drift: boolean): Shown {
  const { state, reason: then } = toDecisionJson(decision)
  const reason = now.state === state ? now.reason : then
  return { verdict: { ...now, state, reason: drift ? `${reason}; ${toDriftText(now)}` : reason }, drift }
}

function toDriftText({ lower, upper }: VerdictJson): string {
  const since = 'but the live data since then contradict this'
  return lower === null || upper === null
    ? since
    : `${since}: the improvement is between ${toShort(lower)} and ${toShort(upper)}`
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
