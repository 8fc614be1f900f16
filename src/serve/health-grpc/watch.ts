import type { Service } from '../model.ts'

/**
 * Tells a status at once and whenever it has changed, until the client goes. When the server stops, its watchers are told
 * so and sent elsewhere: a call that lasts would hold it.
 * @throws UNAVAILABLE (a `GrpcError`)
 */
export async function* watchHealth<status>(
  { catalog, stopping }: Service,
  read: () => status,
  write: (status: status) => Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  let change = Promise.withResolvers<void>()
  const note = (): void => change.resolve()
  const forget = catalog.onChange(note)
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
