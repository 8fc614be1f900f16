import type { Guardrail, Verdict } from '../../judge/index.ts'
import type { Decision, StoredRace } from '../../store/index.ts'
import type { Placed } from '../deployment/deployment.ts'
import { findBreach, type RampMove, toRampMove } from './ramp.ts'

/** A race that runs, and its challenger in the deployment. */
export interface Course extends Placed {
  readonly race: StoredRace
  readonly verdict: Verdict
  readonly decision: Decision | undefined
  /** The live data contradict the decision. */
  readonly drift: boolean
  readonly guardrails: readonly Guardrail[]
}

/** What control does about a race by itself. */
export type Action =
  | { readonly kind: 'none' }
  | { readonly kind: 'step'; readonly weight: number; readonly reason: string }
  | { readonly kind: 'withdraw'; readonly how: 'stopped' | 'spent'; readonly reason: string }
  | { readonly kind: 'promote'; readonly reason: string }

const NONE: Action = { kind: 'none' }
const DAY_MS = 86_400_000

/**
 * Decides what to do about a race: a breach of a guardrail stops a split, a decision that still holds promotes where
 * that is wanted, a spent budget ends what is undecided, and a ramp goes its way.
 */
export function toAction(
  course: Course,
  { promote, now }: { readonly promote: 'ask' | 'auto'; readonly now: number },
): Action {
  const breach = findBreach(course.guardrails)
  // A shadow answers nobody: its breach is shown, and keeps it from being promoted.
  if (breach !== undefined && course.challenger.role === 'split') return toStop(breach)
  if (promote === 'auto' && mayBePromoted(course)) return { kind: 'promote', reason: course.verdict.reason }
  const spent = findSpent(course, now)
  if (spent !== undefined) return { kind: 'withdraw', how: 'spent', reason: spent }
  const move = findMove(course)
  if (move?.kind === 'stop') return toStop(move.reason)
  return move?.kind === 'step' ? { kind: 'step', weight: move.weight, reason: toStepText(course, move.weight) } : NONE
}

/** What the ramp of a race does next; undefined where its challenger is in none. */
export function findMove({ challenger, decision, drift, guardrails, others, verdict }: Course): RampMove | undefined {
  const { ramp: steps, weight } = challenger
  if (steps === undefined) return undefined
  const lost = decision?.state === 'keep-A' && !drift
  return toRampMove({ steps, weight, others, guardrails, gates: verdict.gates, lost })
}

/** The decision says so, the data of now still do, every gate has passed, and every guardrail is quiet. */
function mayBePromoted({ decision, drift, guardrails, verdict }: Course): boolean {
  if (decision?.state !== 'promote-B' || verdict.state !== 'promote-B' || drift) return false
  return verdict.gates.every(({ passed }) => passed) && guardrails.every(({ state }) => state === 'quiet')
}

function findSpent({ decision, race, verdict }: Course, now: number): string | undefined {
  const { days, labels } = race.spec.budget
  if (decision !== undefined) return undefined
  if (labels !== undefined && verdict.n >= labels) return `${verdict.n} labels without a verdict`
  return days !== undefined && now - race.startedAt >= days * DAY_MS ? `${days} days without a verdict` : undefined
}

function toStop(reason: string): Action {
  return { kind: 'withdraw', how: 'stopped', reason }
}

function toStepText({ challenger }: Course, weight: number): string {
  return `from ${toPercent(challenger.weight)} to ${toPercent(weight)} of the requests`
}

function toPercent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`
}
