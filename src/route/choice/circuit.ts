/**
 * Whether a challenger may still answer for itself, or the champion does it in its place.
 * - `closed`: it answers. `answered` and `failed` count requests; both are halved every `HALVE_EVERY_MS`, so that the
 *   past fades. It opens once at least `MIN_FAILURES` failed and those are half of all or more.
 * - `open`: it does not, until `until` (epoch ms); then one request tries it. `rounds` counts the tries that failed.
 * - `probing`: that request is under way. An answer closes the circuit, a failure opens it for twice as long.
 */
export type Circuit =
  | { readonly state: 'closed'; readonly answered: number; readonly failed: number; readonly halvedAt: number }
  | { readonly state: 'open'; readonly rounds: number; readonly until: number }
  | { readonly state: 'probing'; readonly rounds: number }

/**
 * What a request says about a variant: it `answered`; it `failed` (a 5xx, no answer, or no replica to ask); or nothing,
 * where the client left or asked for what no server can do.
 */
export type Fate = 'answered' | 'failed' | 'unknown'

const HALVE_EVERY_MS = 5_000
const MIN_FAILURES = 10
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000

type Closed = Extract<Circuit, { state: 'closed' }>

/** The circuit of a variant that nobody has asked yet. */
export const CLOSED: Closed = { state: 'closed', answered: 0, failed: 0, halvedAt: 0 }

/** Whether the variant may get a request now (epoch ms). */
export function isClosed(circuit: Circuit, now: number): boolean {
  return circuit.state === 'closed' || (circuit.state === 'open' && now >= circuit.until)
}

/** The state once a request has been given to a variant that may get it. */
export function toAsked(circuit: Circuit, now: number): Circuit {
  if (circuit.state !== 'open' || now < circuit.until) return circuit
  return { state: 'probing', rounds: circuit.rounds }
}

/** The state after the fate of a request. Those of requests that were asked before it opened do not prolong it. */
export function toSettled(circuit: Circuit, fate: Fate, now: number): Circuit {
  switch (circuit.state) {
    case 'closed':
      return fate === 'unknown' ? circuit : toCounted(toFaded(circuit, now), fate, now)
    case 'probing':
      if (fate === 'answered') return { ...CLOSED, halvedAt: now }
      return fate === 'unknown'
        ? { state: 'open', rounds: circuit.rounds, until: now }
        : toOpen(circuit.rounds + 1, now)
    case 'open':
      return circuit
    default:
      return circuit satisfies never
  }
}

function toFaded(circuit: Closed, now: number): Closed {
  const halvings = Math.floor((now - circuit.halvedAt) / HALVE_EVERY_MS)
  if (halvings < 1) return circuit
  const share = 0.5 ** halvings
  return { ...circuit, answered: circuit.answered * share, failed: circuit.failed * share, halvedAt: now }
}

function toCounted(circuit: Closed, fate: 'answered' | 'failed', now: number): Circuit {
  const answered = circuit.answered + Number(fate === 'answered')
  const failed = circuit.failed + Number(fate === 'failed')
  // Fading may leave a hair less than a whole failure.
  return failed > MIN_FAILURES - 0.5 && failed >= answered ? toOpen(1, now) : { ...circuit, answered, failed }
}

function toOpen(rounds: number, now: number): Circuit {
  return { state: 'open', rounds, until: now + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (rounds - 1)) }
}
