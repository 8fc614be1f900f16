import type { Health } from '../target.ts'
import type { Timings } from './timings.ts'

/** What a readiness probe came back with: 200, another status, or nothing in time. */
export type ProbeAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'silent'; readonly text: string }

/** What the probes of one process have said so far. Instants are epoch ms. */
export interface ProbeHistory {
  readonly startedAt: number
  /** When the first probe answered 200. */
  readonly readyAt: number | undefined
  /** Probes in a row, up to now, that did not answer 200; and that did not answer at all. */
  readonly misses: number
  readonly silences: number
  readonly last: string
}

/** The history of a process that nobody has probed yet. */
export function toFreshHistory(startedAt: number): ProbeHistory {
  return { startedAt, readyAt: undefined, misses: 0, silences: 0, last: '' }
}

/** Adds one answer. */
export function foldProbe(history: ProbeHistory, answer: ProbeAnswer, now: number): ProbeHistory {
  if (answer.kind === 'ready')
    return { ...history, readyAt: history.readyAt ?? now, misses: 0, silences: 0, last: 'HTTP 200' }
  return {
    ...history,
    misses: history.misses + 1,
    silences: answer.kind === 'silent' ? history.silences + 1 : 0,
    last: answer.text,
  }
}

/** What follows from the probes: a health, no change, or that the process must be killed. */
export type ProbeVerdict = { readonly kind: 'health'; readonly health: Health } | { readonly kind: 'same' | 'kill' }

/**
 * Judges a process by its probes. One that does not answer at all is killed in the end; one that answers "not
 * ready" lives and knows best why (a gateway before its first replica), so it is only reported.
 */
export function toProbeVerdict(history: ProbeHistory, now: number, timings: Timings): ProbeVerdict {
  const { misses, silences, last } = history
  if (history.readyAt !== undefined && misses === 0) return { kind: 'health', health: { state: 'ready', since: now } }
  if (silences >= timings.missesToKill) return { kind: 'kill' }
  if (silences >= timings.missesToFail) {
    const retryAt = now + (timings.missesToKill - silences) * (timings.probeEveryMs + timings.probeTimeoutMs)
    const reason = `${silences} readiness probes in a row had no answer: ${last}`
    return { kind: 'health', health: { state: 'failing', since: now, code: 'UNRESPONSIVE', reason, retryAt } }
  }
  const isLate = history.readyAt !== undefined || now - history.startedAt >= timings.startTimeoutMs
  if (misses < timings.missesToFail || !isLate) return { kind: 'same' }
  const reason = `${misses} readiness probes in a row were refused: ${last}`
  const retryAt = now + timings.probeEveryMs
  return { kind: 'health', health: { state: 'failing', since: now, code: 'NOT_READY', reason, retryAt } }
}
