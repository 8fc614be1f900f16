/** How many labels a race had at an instant. */
export interface Arrival {
  readonly at: number
  readonly labels: number
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** Notes how many labels there are now: at most one note a minute, of the last day, and the one before it. */
export function noteArrival(arrivals: readonly Arrival[], now: Arrival): readonly Arrival[] {
  const last = arrivals.at(-1)
  if (last !== undefined && now.at - last.at < MINUTE_MS) return arrivals
  const begin = arrivals.findLastIndex(({ at, labels }) => at <= now.at - DAY_MS || labels > now.labels)
  // Where fewer count than before, what came before tells nothing of how they come.
  const isOver = (arrivals[begin]?.labels ?? 0) > now.labels
  return [...arrivals.slice(Math.max(0, isOver ? begin + 1 : begin)), now]
}

/**
 * Labels that come in a day, from what came within the last one (since control started, where that is less), else
 * since the race began; undefined while less than a minute tells of it.
 */
export function toLabelsPerDay(arrivals: readonly Arrival[], now: Arrival, startedAt: number): number | undefined {
  const [first] = arrivals
  const since = first !== undefined && now.at - first.at >= MINUTE_MS ? first : { at: startedAt, labels: 0 }
  const ms = now.at - since.at
  const labels = now.labels - since.labels
  return ms < MINUTE_MS || labels <= 0 ? undefined : (labels / ms) * DAY_MS
}
