import type { Gate, Guardrail } from '../../judge/index.ts'

/** What a ramp is moved by. */
export interface RampSituation {
  /** Rising shares, 0–1. */
  readonly steps: readonly number[]
  /** The challenger's share now. */
  readonly weight: number
  /** What the other splits may come to have: the champion keeps some of the rest. */
  readonly others: number
  /** What the guardrails say of this step alone. */
  readonly guardrails: readonly Guardrail[]
  /** What a verdict needs; a ramp heeds those of `STEP_GATES`. */
  readonly gates: readonly Gate[]
  /** The challenger has lost the race. */
  readonly lost: boolean
}

/**
 * What a ramp does next.
 * - `stop`: the challenger leaves the routes
 * - `step`: it is given a larger share, which begins an epoch
 * - `hold`: it stays where it is; `reason` says what it waits for
 * - `done`: it has its last share, and the race goes on
 */
export type RampMove =
  | { readonly kind: 'stop'; readonly reason: string }
  | { readonly kind: 'step'; readonly weight: number }
  | { readonly kind: 'hold'; readonly reason: string }
  | { readonly kind: 'done' }

/** Gates that say whether requests and labels fall as the weights say; without that no step means anything. */
const STEP_GATES: readonly string[] = ['sample ratio', 'label ratio']

/**
 * Moves a ramp. A breach stops it at any time; a step is taken when every guardrail is quiet (as many requests at this
 * share as would show three times its limit, and no more than the limit found) and the gates of the step hold.
 *
 * Its state is the share alone, so that a control that starts anew goes on where the one before ended. A share that is
 * no step (the configuration was another one) goes on with the next larger step.
 */
export function toRampMove({ steps, weight, others, guardrails, gates, lost }: RampSituation): RampMove {
  const breach = findBreach(guardrails)
  if (breach !== undefined) return { kind: 'stop', reason: breach }
  if (lost) return { kind: 'stop', reason: 'the champion is better' }
  const next = steps.find(step => step > weight)
  if (next === undefined) return { kind: 'done' }
  const waiting = [
    ...guardrails.filter(({ state }) => state !== 'quiet').map(toText),
    ...gates.filter(({ name, passed }) => !passed && STEP_GATES.includes(name)).map(toText),
    ...(next + others < 1 ? [] : ['other challengers have too large a share']),
  ]
  return waiting.length === 0 ? { kind: 'step', weight: next } : { kind: 'hold', reason: waiting.join('; ') }
}

/** The guardrail that is broken, in words; undefined where none is. */
export function findBreach(guardrails: readonly Guardrail[]): string | undefined {
  const breached = guardrails.find(({ state }) => state === 'breached')
  return breached && toText(breached)
}

function toText({ name, detail }: { readonly name: string; readonly detail: string }): string {
  return `${name}: ${detail}`
}
