/** What one transaction puts into the sums of a key, and takes out of them. */
export interface Change<key, item> {
  readonly key: key
  readonly added: item[]
  readonly removed: item[]
}

/** Gathers the changes of one transaction, so that each key's sums are read and written once. */
export class Changes<key, item> {
  readonly #toId: (key: key) => string
  readonly #changes = new Map<string, Change<key, item>>()

  constructor(toId: (key: key) => string) {
    this.#toId = toId
  }

  /** That of a key, which items are put into. */
  of(key: key): Change<key, item> {
    const id = this.#toId(key)
    const known = this.#changes.get(id)
    if (known !== undefined) return known
    const made = { key, added: [], removed: [] }
    this.#changes.set(id, made)
    return made
  }

  /** Those that change something; what comes now is of others. */
  take(): readonly Change<key, item>[] {
    const changes = [...this.#changes.values()]
    this.#changes.clear()
    return changes.filter(({ added, removed }) => added.length > 0 || removed.length > 0)
  }
}
