/** Gateways that are remembered; one that restarts under a new name counts anew. */
const MAX_GATEWAYS = 1000

/** Sums the records that gateways had to drop: each tells its own count since it started. */
export class GatewayDrops {
  readonly #counts = new Map<string, number>()

  /** Records dropped by all gateways together. */
  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  /** Notes a gateway's count; says whether it is new. */
  note(gateway: string, dropped: number): boolean {
    const isNew = (this.#counts.get(gateway) ?? 0) !== dropped
    const oldest = this.#counts.keys().next()
    if (!this.#counts.has(gateway) && this.#counts.size >= MAX_GATEWAYS && !oldest.done)
      this.#counts.delete(oldest.value)
    this.#counts.set(gateway, dropped)
    return isNew
  }
}
