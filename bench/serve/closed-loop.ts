import { toQuantile } from '../statistics.ts'
import { openConnection } from './client.ts'
import type { Load, LoadResult } from './load.ts'

/*
 * A process that loads a server: each connection sends its next request when it has its answer. At the end of its time
 * every connection still waits for its last answer, so that what the server did and what is counted are the same.
 * Its parent sends one `Load` and gets one `LoadResult`, or the text of what went wrong.
 */

process.once('message', async message => {
  // The parent is this program's own.
  const answer = await run(message as Load).catch(error => String(error))
  process.send?.(answer, undefined, undefined, () => process.exit())
})
process.once('disconnect', () => process.exit(1))

async function run(load: Load): Promise<LoadResult> {
  const endAt = performance.now() + load.seconds * 1000
  const startedAt = performance.now()
  const times: number[] = []
  let errors = 0
  const loop = async (): Promise<void> => {
    using connection = openConnection(load.request.transport, load.port)
    while (performance.now() < endAt) {
      const sentAt = performance.now()
      await connection.ask(load.request).then(
        () => times.push(performance.now() - sentAt),
        () => errors++,
      )
    }
  }
  await Promise.all(Array.from({ length: load.connections }, loop))
  const seconds = (performance.now() - startedAt) / 1000
  const quantiles = { p50Ms: toQuantile(times, 0.5), p99Ms: toQuantile(times, 0.99) }
  return { requests: times.length, errors, perSecond: times.length / seconds, ...quantiles }
}
