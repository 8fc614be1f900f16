/** Something that changes, and says so. */
export interface Changing {
  /** Calls back at every change, until what this returns is called. */
  onChange(listener: () => void): () => void
}

/** Those who hear of the changes of something. */
export class Changes implements Changing {
  readonly #listeners = new Set<() => void>()

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Calls back everybody. */
  tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

/** What a status depends on: something that changes, and whether its server stops. */
export interface StatusSource {
  readonly changing: Changing
  readonly stopping: AbortSignal
}

/**
 * Tells a status at once and whenever it has changed, until the client goes (`signal`). When the server stops, its watchers
 * are told so and sent elsewhere: a call that lasts would hold it.
 * @throws the reason for which the server stops
 */
export async function* watchStatus<status>(
  { changing, stopping }: StatusSource,
  read: () => status,
  write: (status: status) => Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  let change = Promise.withResolvers<void>()
  const note = (): void => change.resolve()
  const forget = changing.onChange(note)
  const ends = [signal, stopping]
  for (const end of ends) end.addEventListener('abort', note, { once: true })
  try {
    let told: status | undefined
    while (!signal.aborted) {
      // What changes from here on is looked at again.
      change = Promise.withResolvers<void>()
      const isStopping = stopping.aborted
      const status = read()
      if (status !== told) yield write(status)
      told = status
      if (isStopping) throw stopping.reason
      await change.promise
    }
  } finally {
    forget()
    for (const end of ends) end.removeEventListener('abort', note)
  }
}
