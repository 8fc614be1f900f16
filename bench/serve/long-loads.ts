import { setTimeout as sleep } from 'node:timers/promises'
import { toQuantile } from '../statistics.ts'
import type { Bench } from './bench.ts'
import { runLoad } from './load.ts'
import { PROTOCOLS } from './protocols.ts'
import type { HealthResult, MemoryResult } from './results.ts'
import type { Running } from './running.ts'

/** A server is kept busy so long while it is asked whether it lives, this often. */
const HEALTH = { seconds: 6, everyMs: 25 } as const
/** Looks at the memory during a long load. */
const LOOKS = 40

/** Asks a server whether it lives while all its connections wait for predictions. */
export async function measureHealth(bench: Bench, server: Running, path: string): Promise<HealthResult> {
  const { contender, place } = server
  const url = `http://127.0.0.1:${place.ports.http}${path}`
  const times: number[] = []
  const load = runOne(bench, server, HEALTH.seconds)
  // Not before the load is there.
  await sleep(1000)
  const endAt = performance.now() + (HEALTH.seconds - 2) * 1000
  while (performance.now() < endAt) {
    const askedAt = performance.now()
    const answer = await fetch(url)
    await answer.arrayBuffer()
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`)
    times.push(performance.now() - askedAt)
    await sleep(HEALTH.everyMs)
  }
  await load
  const [p50Ms, p95Ms] = [toQuantile(times, 0.5), toQuantile(times, 0.95)]
  return { model: place.model.name, contender: contender.name, probes: times.length, p50Ms, p95Ms }
}

/** Watches the memory of a server over a load of some minutes. */
export async function measureMemory(bench: Bench, server: Running, minutes: number): Promise<MemoryResult> {
  const seconds = Math.max(1, Math.round(minutes * 60))
  const load = runOne(bench, server, seconds)
  const rssBytes: number[] = []
  for (let look = 0; look < LOOKS; look += 1) {
    await sleep((seconds * 1000) / LOOKS)
    rssBytes.push(server.readUsage().rssBytes)
  }
  await load
  return { contender: server.contender.name, minutes, rssBytes }
}

/** One load in a server's first protocol. */
async function runOne(bench: Bench, { contender, place }: Running, seconds: number): Promise<void> {
  const request = PROTOCOLS[contender.protocols[0]].toRequest(place.model)
  const { connections, isSlow } = place.model
  const port = place.ports[request.transport]
  const result = await runLoad({ request, port, connections, seconds }, isSlow, { ...bench, folder: place.folder })
  if (result.requests === 0) throw new Error(`${contender.name} answered none of ${result.errors} requests`)
}
