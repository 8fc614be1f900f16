/** Gateways that are remembered; one that restarts under a new name counts anew. */
const MAX_GATEWAYS = 1000

/** What a gateway tells of itself with each batch. */
export interface GatewayNote {
  readonly gateway: string
  /** Records that it dropped since it started. */
  readonly dropped: number
  /** Epoch of the routes that it follows; absent before its first. */
  readonly epoch?: number
}

/** What gateways have told of themselves, each since it started. */
export class Gateways {
  readonly #notes = new Map<string, GatewayNote>()

  /** Records dropped by all gateways together. */
  get dropped(): number {
    return [...this.#notes.values()].reduce((sum, { dropped }) => sum + dropped, 0)
  }

  /** The oldest epoch that a gateway still follows; undefined where none has told. */
  get oldestEpoch(): number | undefined {
    const epochs = [...this.#notes.values()].flatMap(({ epoch }) => (epoch === undefined ? [] : [epoch]))
    return epochs.length === 0 ? undefined : Math.min(...epochs)
  }

  /** Notes what a gateway tells; says whether its drops have changed. */
  note(note: GatewayNote): boolean {
    const known = this.#notes.get(note.gateway)
    const oldest = this.#notes.keys().next()
    if (known === undefined && this.#notes.size >= MAX_GATEWAYS && !oldest.done) this.#notes.delete(oldest.value)
    // A batch that was sent before the last one may come after it: routes never go back.
    const epoch = Math.max(known?.epoch ?? -1, note.epoch ?? -1)
    this.#notes.set(note.gateway, epoch < 0 ? note : { ...note, epoch })
    return (known?.dropped ?? 0) !== note.dropped
  }
}
