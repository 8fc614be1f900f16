import type { RaceJson } from '../api/race.ts'

/**
 * Something that somebody should hear of, once.
 * - `verdict`: the race has decided.
 * - `guardrail`: the challenger breaks a limit that it must keep.
 * - `drift`: the data of now contradict the decision.
 * - `mismatch`: requests or labels are not shared out as the weights say, so that nothing can be concluded.
 * - `replica`: a process fails or performs poorly, or does so no longer.
 */
export interface Incident {
  readonly kind: 'verdict' | 'guardrail' | 'drift' | 'mismatch' | 'replica'
  /** Absent of what is no race's. */
  readonly race?: number
  /** Tells it from every other incident of its race and kind; of a process its name. */
  readonly key: string
  /** One sentence. */
  readonly text: string
}

/** What of a race is looked at. */
export type WatchedRace = Pick<RaceJson, 'race' | 'variants' | 'verdict' | 'drift' | 'decision'> & {
  readonly guardrails?: readonly { readonly name: string; readonly state: string; readonly detail: string }[]
}

/** Gates that only something gone wrong closes once there are labels. */
const MISMATCHES: readonly string[] = ['sample ratio', 'label ratio']

/** The incident of a race that has just decided. */
export function toVerdictIncident(race: WatchedRace): Incident {
  const { state, reason } = race.verdict
  return { kind: 'verdict', race: race.race, key: state, text: `${toTitle(race)}: ${state}. ${reason}` }
}

/** Whatever is wrong with a race now. */
export function toIncidents(race: WatchedRace): readonly Incident[] {
  const title = toTitle(race)
  const drift: Incident[] = race.drift
    ? [{ kind: 'drift', race: race.race, key: '', text: `${title}: drift. ${race.verdict.reason}` }]
    : []
  const broken = (race.guardrails ?? []).filter(({ state }) => state === 'breached')
  const guardrails = broken.map(({ name, detail }): Incident => {
    return { kind: 'guardrail', race: race.race, key: name, text: `${title}: guardrail ${name}. ${detail}` }
  })
  const closed = race.verdict.gates.filter(({ name, passed }) => !passed && MISMATCHES.includes(name))
  const mismatches = closed.map(({ name, detail }): Incident => {
    return { kind: 'mismatch', race: race.race, key: name, text: `${title}: ${name} mismatch. ${detail}` }
  })
  return [...drift, ...guardrails, ...mismatches]
}

function toTitle({ race, variants }: WatchedRace): string {
  return `Race ${race} (${variants.map(({ name, version }) => `${name} v${version}`).join(' against ')})`
}

/** Races whose incidents are remembered. */
const MAX_RACES = 100

/**
 * Tells an incident when it first shows. What was there when control first looked at a race has been told before, by
 * the control that ran then; only a race that starts later has no such past.
 */
export class NewIncidents {
  readonly #known = new Map<number, Set<string>>()
  #newest: number | undefined

  /** The incidents of a race that were not there at an earlier look. */
  note(race: WatchedRace): readonly Incident[] {
    const incidents = toIncidents(race)
    const known = this.#known.get(race.race) ?? new Set(this.#isOld(race) ? incidents.map(toKey) : [])
    const fresh = incidents.filter(incident => !known.has(toKey(incident)))
    for (const incident of fresh) known.add(toKey(incident))
    this.#remember(race.race, known)
    return fresh
  }

  #isOld({ race }: WatchedRace): boolean {
    return this.#newest === undefined || race <= this.#newest
  }

  #remember(race: number, known: Set<string>): void {
    this.#newest = Math.max(this.#newest ?? 0, race)
    this.#known.set(race, known)
    const oldest = this.#known.keys().next()
    if (this.#known.size > MAX_RACES && !oldest.done) this.#known.delete(oldest.value)
  }
}

function toKey({ kind, key }: Incident): string {
  return `${kind} ${key}`
}
