const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** A UUIDv7 has 48 bits of time. */
const LAST_MS = 2 ** 48 - 1

/** A range of request ids: from `from` on, up to before `to`. */
export interface KeyRange {
  readonly from: string
  readonly to: string
}

/** The instant that a request's id names, epoch ms. */
export function toInstant(request: string): number {
  return Number.parseInt(request.slice(0, 8) + request.slice(9, 13), 16)
}

/** The hour of an instant, counted from 1970-01-01 UTC. */
export function toHourOf(at: number): number {
  return Math.floor(at / HOUR_MS)
}

/** The day of an instant, counted from 1970-01-01 UTC. */
export function toDayOf(at: number): number {
  return Math.floor(at / DAY_MS)
}

/** The requests of a day, which are one range of keys. */
export function toDayRange(day: number): KeyRange {
  return { from: toKeyFloor(day * DAY_MS), to: toKeyFloor((day + 1) * DAY_MS) }
}

/** The key that every older request is below and no later one: a UUID, though not one of a request. */
export function toKeyFloor(at: number): string {
  if (at > LAST_MS) return 'ffffffff-ffff-ffff-ffff-ffffffffffff'
  const hex = Math.max(0, Math.trunc(at)).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}
