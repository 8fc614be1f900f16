import { toUuidV7Floor } from '../core/uuid.ts'

const DAY_MS = 86_400_000
/** A UUIDv7 has 48 bits of time. */
const LAST_MS = 2 ** 48 - 1

/** A range of request ids: from `from` on, up to before `to`. */
export interface KeyRange {
  readonly from: string
  readonly to: string
}

/** The day that a request's id names, counted from 1970-01-01 UTC. */
export function toDay(request: string): number {
  return toDayOf(Number.parseInt(request.slice(0, 8) + request.slice(9, 13), 16))
}

/** The day of an instant. */
export function toDayOf(at: number): number {
  return Math.floor(at / DAY_MS)
}

/** The requests of a day, which are one range of keys. */
export function toDayRange(day: number): KeyRange {
  return { from: toKeyFloor(day * DAY_MS), to: toKeyFloor((day + 1) * DAY_MS) }
}

/** The key that every older request is below and no later one. */
export function toKeyFloor(at: number): string {
  if (at > LAST_MS) return 'g'
  return toUuidV7Floor(Math.max(0, at)).slice(0, 13)
}
