import { toLabelsForEquivalence, toPlan, toPlanRange } from '../sequence/plan.ts'
import { isDrifting, toStandingState } from '../verdict/history.ts'
import type { Gate, Verdict, VerdictState } from '../verdict/race.ts'
import type { ReplayLook } from './replay.ts'

/** One line of a replay: what the race would have said after these labels. */
export interface ReplayLine {
  readonly schema: 'regatta/replay/v1'
  readonly design: Verdict['design']
  readonly a: string | null
  readonly b: string | null
  /** Improvement of B over A (positive: B is better) and its confidence sequence, in units of the loss. */
  readonly estimate: number | null
  readonly se: number | null
  /** What the standard error counts: pairs, labels of both arms, or entities. */
  readonly n: number
  readonly lower: number | null
  readonly upper: number | null
  /** The smallest p-value so far. */
  readonly p: number
  readonly logE: number
  /** A decision once made stands. */
  readonly verdict: VerdictState
  readonly reason: string
  readonly drift: boolean
  readonly decision: ReplayLook['history']['decision']
  readonly gates: readonly Gate[]
  readonly labels: LabelsJson
  readonly means: { readonly a: number | null; readonly b: number | null }
  /** Share of pairs that B wins; null of a split, of a series, and of entities. */
  readonly winRate: CompanionJson | null
  /** Rate of events in B over that in A; null but of a split with weights. */
  readonly rateRatio: CompanionJson | null
  readonly cap: { readonly quantile: number; readonly at: number | null; readonly share: number | null } | null
  /** Rows of a race of pairs that have no partner. */
  readonly unpaired: number
}

/** Labels that counted, and labels that a verdict takes. */
export interface LabelsJson {
  readonly counted: number
  /** For an improvement of the wanted gain: even odds by `half`, four in five by `fourFifths`. */
  readonly needed: { readonly gain: number; readonly half: number; readonly fourFifths: number } | null
  /** If the improvement is about what it is so far. */
  readonly range: { readonly low: number; readonly high: number | null } | null
  readonly forEquivalence: number | null
}

/** A companion of the verdict with its confidence sequence; null where nothing bounds it. */
export interface CompanionJson {
  readonly estimate: number | null
  readonly lower: number
  readonly upper: number | null
  readonly logE: number
}

/** A look as JSON, which has no undefined and no infinity. */
export function toReplayLine(look: ReplayLook): ReplayLine {
  const { history, means, roles, unpaired, verdict } = look
  const { design, estimate, gates, logE, lower, n, se, upper } = verdict
  const state = toStandingState(history, verdict)
  return {
    schema: 'regatta/replay/v1',
    design,
    a: roles.a ?? null,
    b: roles.b ?? null,
    estimate: n === 0 ? null : estimate,
    se: n < 2 ? null : se,
    n,
    lower: toFinite(lower),
    upper: toFinite(upper),
    p: history.p,
    logE,
    verdict: state,
    reason: toStandingReason(look, state),
    drift: isDrifting(history),
    decision: history.decision,
    gates,
    labels: toLabels(look),
    means: { a: toFinite(means.a), b: toFinite(means.b) },
    winRate: toCompanion(look.winRate),
    rateRatio: toCompanion(look.rateRatio),
    cap: toCap(look),
    unpaired,
  }
}

/** A decision stands, whatever the labels since say; they are told beside it. */
function toStandingReason({ history, verdict }: ReplayLook, state: VerdictState): string {
  const { decision } = history
  if (decision === null || state === verdict.state) return verdict.reason
  const but = isDrifting(history) ? 'the labels since contradict it' : 'since then'
  return `Decided after ${decision.n} labels; ${but}: ${verdict.reason}`
}

function toLabels({ labels, rule, verdict }: ReplayLook): LabelsJson {
  const { n, se } = verdict
  const sd = se * Math.sqrt(n)
  const plan = rule.minGain > 0 && sd > 0 ? toPlan(rule.minGain, sd, rule) : undefined
  const range = sd > 0 ? toPlanRange(verdict, rule) : undefined
  const equivalent =
    rule.margin > 0 && sd > 0 ? toLabelsForEquivalence(verdict.estimate, sd, rule.margin, rule) : undefined
  return {
    counted: labels,
    needed: plan ?? null,
    range: range === undefined ? null : { low: range.low, high: range.high ?? null },
    forEquivalence: equivalent ?? null,
  }
}

function toCap({ evidence: { cap } }: ReplayLook): ReplayLine['cap'] {
  if (cap === undefined) return null
  const { capped, judged, quantile } = cap
  return { quantile, at: toFinite(cap.cap), share: judged === 0 ? null : capped / judged }
}

function toCompanion(found: ReplayLook['winRate'] | ReplayLook['rateRatio']): CompanionJson | null {
  if (found === undefined) return null
  const { estimate, logE, lower, upper } = found
  return { estimate: toFinite(estimate), lower, upper: toFinite(upper), logE }
}

function toFinite(x: number | undefined): number | null {
  return x !== undefined && Number.isFinite(x) ? x : null
}
