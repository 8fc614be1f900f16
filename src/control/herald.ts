import type { Clock } from '../core/clock.ts'
import type { Target } from '../deploy/index.ts'
import type { RaceEvent } from '../store/index.ts'
import type { EventJson } from './api/events.ts'
import type { RaceJson } from './api/race.ts'
import type { StatusJson } from './api/status.ts'
import { toEvent } from './events.ts'
import type { Feed } from './feed.ts'
import { NewIncidents, toVerdictIncident } from './health/incidents.ts'
import { ProcessIncidents, toChampionNotices } from './health/notices.ts'
import { toEventJson } from './race/json.ts'
import type { Webhook } from './webhook/webhook.node.ts'

/** Whom a herald tells. */
export interface HeraldOptions {
  readonly events: Pick<Feed, 'publish'>
  readonly target: Pick<Target, 'tell'>
  readonly webhook: Pick<Webhook, 'send'> | undefined
  readonly clock: Clock
}

/**
 * Tells what happens: every change to the readers of events, and what somebody should hear of, once, to the webhook and
 * to those who look at the target.
 */
export class Herald {
  readonly #options: HeraldOptions
  readonly #incidents = new NewIncidents()
  readonly #processes = new ProcessIncidents()
  #shown: StatusJson | undefined

  constructor(options: HeraldOptions) {
    this.#options = options
  }

  /** A race looks different from before. */
  tellRace(race: RaceJson): void {
    this.#publish({ kind: 'race', race })
    for (const incident of this.#incidents.note(race)) this.#options.webhook?.send(incident)
  }

  /** A race has just decided. */
  tellDecision(race: RaceJson): void {
    const { target, webhook } = this.#options
    this.#publish({ kind: 'decision', race: race.race, verdict: race.verdict })
    const incident = toVerdictIncident(race)
    webhook?.send(incident)
    target.tell?.({ reason: 'Verdict', text: incident.text, isWarning: false })
  }

  /** A race was steered by its rule. */
  tellRaceEvent({ race, ...event }: RaceEvent): void {
    this.#publish({ kind: 'race-event', race, event: toEventJson(event) })
  }

  /** The deployment looks different from before. */
  tellStatus(status: StatusJson): void {
    this.#publish({ kind: 'status', status })
    for (const notice of toChampionNotices(this.#shown, status)) this.#options.target.tell?.(notice)
    this.#shown = status
    this.tellProcesses(status)
  }

  /** Time has passed, which alone may end what was wrong with a process. */
  tellProcesses(status: StatusJson): void {
    const { target, webhook, clock } = this.#options
    for (const { process, ...notice } of this.#processes.note(status, clock())) {
      target.tell?.(notice)
      webhook?.send({ kind: 'replica', key: process, text: notice.text })
    }
  }

  #publish(event: EventJson): void {
    this.#options.events.publish(toEvent(event))
  }
}
