import { setTimeout as sleep } from 'node:timers/promises'
import { GrpcError } from '../../core/grpc.ts'
import type { Service } from '../model.ts'

/** What readiness depends on changes in many places: it is looked at again so often while somebody watches. */
const LOOK_MS = 100

/**
 * Tells a status at once and whenever it has changed, until the client goes. When the server stops, its watchers are told
 * so and sent elsewhere: a call that lasts would hold it.
 * @throws UNAVAILABLE (a `GrpcError`)
 */
export async function* watchHealth<status>(
  service: Service,
  read: () => status,
  write: (status: status) => Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  let told: status | undefined
  while (!signal.aborted) {
    const { isDraining } = service
    const status = read()
    if (status !== told) yield write(status)
    told = status
    if (isDraining) throw new GrpcError('UNAVAILABLE', 'The server is stopping')
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined)
  }
}
