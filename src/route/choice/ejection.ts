/**
 * Whether a replica gets requests.
 * - `in`: it does; `failures` counts those in a row. One refused connection, or three failures, put it out.
 * - `out`: it does not, until `until` (epoch ms); then one request tries it. `rounds` counts the tries that failed.
 * - `probing`: that request is under way. An answer puts the replica in, a failure out for twice as long.
 */
export type Ejection =
  | { readonly state: 'in'; readonly failures: number }
  | { readonly state: 'out'; readonly rounds: number; readonly until: number }
  | { readonly state: 'probing'; readonly rounds: number }

/**
 * What came of a request: `answered` at all; `refused` before it could be sent; `failed` (the connection broke, no
 * answer in time, or a 503); `unknown` where the client left first.
 */
export type Outcome = 'answered' | 'refused' | 'failed' | 'unknown'

/** A replica of which nothing bad is known. */
export const TRUSTED: Ejection = { state: 'in', failures: 0 }

const FAILURES_IN_A_ROW = 3
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000

/** Whether the replica may get a request now (epoch ms). */
export function isAvailable(ejection: Ejection, now: number): boolean {
  return ejection.state === 'in' || (ejection.state === 'out' && now >= ejection.until)
}

/** The state once a request has been given to an available replica. */
export function toTried(ejection: Ejection, now: number): Ejection {
  if (ejection.state !== 'out' || now < ejection.until) return ejection
  return { state: 'probing', rounds: ejection.rounds }
}

/** The state after a request's outcome. Late failures of requests sent before the ejection do not prolong it. */
export function toNext(ejection: Ejection, outcome: Outcome, now: number): Ejection {
  if (outcome === 'answered') return TRUSTED
  switch (ejection.state) {
    case 'in': {
      if (outcome === 'unknown') return ejection
      const failures = ejection.failures + 1
      return outcome === 'refused' || failures >= FAILURES_IN_A_ROW ? toOut(1, now) : { state: 'in', failures }
    }
    case 'probing':
      return outcome === 'unknown'
        ? { state: 'out', rounds: ejection.rounds, until: now }
        : toOut(ejection.rounds + 1, now)
    case 'out':
      return ejection
    default:
      return ejection satisfies never
  }
}

function toOut(rounds: number, now: number): Ejection {
  return { state: 'out', rounds, until: now + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (rounds - 1)) }
}
