import type { Routes } from '../core/wire/routes.ts'
import { EVENTS_BEAT, LINES_BEAT, toLine } from './events.ts'
import { Feed } from './feed.ts'

/** Readers of one stream. */
const MAX_CLIENTS = 100

/** The streams that control keeps open: its routes to gateways, and what happens to whoever looks on. */
export class Feeds implements Disposable {
  /** A document of routes replaces the one before. */
  readonly routes = new Feed({ maxClients: MAX_CLIENTS, maxWaiting: 4, whenSlow: 'skip' })
  /** Of events, none may be missing. */
  readonly events = new Feed({ maxClients: MAX_CLIENTS, maxWaiting: 100, whenSlow: 'drop' })
  #beats: NodeJS.Timeout | undefined

  /** How many read each stream now. */
  get clients(): { readonly routes: number; readonly events: number } {
    return { routes: this.routes.clients, events: this.events.clients }
  }

  /** Begins to give signs of life, with so many ms between them. */
  begin(beatMs: number): void {
    this.#beats = setInterval(() => {
      this.routes.beat(LINES_BEAT)
      this.events.beat(EVENTS_BEAT)
    }, beatMs)
  }

  /** Hands new routes to every gateway. */
  publishRoutes(routes: Routes): void {
    this.routes.publish(toLine(routes))
  }

  /** Ends every stream. */
  [Symbol.dispose](): void {
    clearInterval(this.#beats)
    this.routes.close()
    this.events.close()
  }
}
