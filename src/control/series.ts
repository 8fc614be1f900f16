import type { RacePointJson } from './api/verdict.ts'

/** Points of a chart that a race keeps. */
export const MAX_POINTS = 400

/**
 * Adds a point to a race's series. A point at the same number of labels takes the last one's place; a full
 * series loses every second of its points, so that it always spans the race.
 */
export function addPoint(points: readonly RacePointJson[], point: RacePointJson): readonly RacePointJson[] {
  const before = points.at(-1)?.n === point.n ? points.slice(0, -1) : points
  const kept = before.length < MAX_POINTS ? before : before.filter((_, at) => at % 2 === 0)
  return [...kept, point]
}
