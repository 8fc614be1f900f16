import type { RacePointJson } from '../api/verdict.ts'

/** Points of a chart that a race keeps. */
export const MAX_POINTS = 400

/**
 * Adds a point to a race's series. It takes the place of those at as many labels or more: where fewer count than
 * before, the series goes on from there. A full series loses every second of its points, so that it spans the race.
 */
export function addPoint(points: readonly RacePointJson[], point: RacePointJson): readonly RacePointJson[] {
  const before = points.slice(0, points.findLastIndex(({ n }) => n < point.n) + 1)
  const kept = before.length < MAX_POINTS ? before : before.filter((_, at) => at % 2 === 0)
  return [...kept, point]
}
