import type { ReplicaState } from '../../deploy/index.ts'
import type { Throttled } from './slowness.ts'

/** What the watch works with. */
export interface ThrottleWatchOptions {
  readonly readReplicas: () => readonly ReplicaState[]
  /** Told after each look. */
  readonly onLook: (throttled: Throttled) => void
  /** From one look to the next, ms. */
  readonly periodMs: number
}

/** How long a replica may take to print its metrics, and how much of them is read. */
const ASK_MS = 3000
const MAX_CHARACTERS = 1_000_000
/** Fewer periods tell nothing. */
const MIN_PERIODS = 20

interface Counts {
  readonly periods: number
  readonly throttled: number
}

/** Asks replicas how often their CPU limit stopped them. A replica that does not answer tells nothing. */
export function watchThrottling({ readReplicas, onLook, periodMs }: ThrottleWatchOptions): Disposable {
  let last = new Map<string, Counts>()
  let looking = false
  const look = async (): Promise<void> => {
    const now = new Map<string, Counts>()
    const ready = readReplicas().filter(({ health }) => health.state === 'ready')
    await Promise.all(
      ready.map(async ({ name, url }) => {
        const counts = url === undefined ? undefined : await fetchCounts(url).catch(() => undefined)
        if (counts !== undefined) now.set(name, counts)
      }),
    )
    onLook(toThrottled(last, now))
    last = now
  }
  const timer = setInterval(() => {
    if (looking) return
    looking = true
    // It never rejects but for the listener, whose mistake is the process's.
    void look().finally(() => {
      looking = false
    })
  }, periodMs)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

function toThrottled(last: ReadonlyMap<string, Counts>, now: ReadonlyMap<string, Counts>): Throttled {
  const shares = new Map<string, number>()
  for (const [name, counts] of now) {
    const before = last.get(name)
    const periods = counts.periods - (before?.periods ?? counts.periods)
    if (before !== undefined && periods >= MIN_PERIODS)
      shares.set(name, (counts.throttled - before.throttled) / periods)
  }
  return shares
}

async function fetchCounts(url: string): Promise<Counts | undefined> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(ASK_MS) })
  const text = await readStart(response)
  const countOf = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  const [periods, throttled] = [countOf(PERIODS), countOf(THROTTLED)]
  return Number.isFinite(periods) && Number.isFinite(throttled) ? { periods, throttled } : undefined
}

async function readStart(response: Response): Promise<string> {
  let text = ''
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part
    if (text.length > MAX_CHARACTERS) break
  }
  return text
}

/** Under the names of cAdvisor, which tells the same of containers from outside. */
const PERIODS = 'container_cpu_cfs_periods_total'
const THROTTLED = 'container_cpu_cfs_throttled_periods_total'
