import { judgeRace, type LossTerms, makePairTally, toReach } from '../../judge/index.ts'
import type { Store, StoredRace } from '../../store/index.ts'
import type { RacePointJson } from '../api/verdict.ts'
import { toRaceRule } from './rule.ts'
import { toPoint } from './verdict.ts'

/** Points of a series that is made anew from the pairs. */
const REBUILT_POINTS = 100

/**
 * The series of a race of pairs that went on while nobody watched: its pairs in the order of the times that they are
 * for, of which there are about `labels`; `cap` is that of its losses.
 */
export async function rebuildPoints(
  store: Pick<Store, 'readDifferencesAfter'>,
  race: StoredRace,
  comparisons: number,
  { labels, cap }: { readonly labels: number; readonly cap: number | undefined },
): Promise<readonly RacePointJson[]> {
  const rule = toRaceRule(race, comparisons)
  const reach = toReach(race.spec, cap) ?? Number.POSITIVE_INFINITY
  const tally = makePairTally(race.spec, () => reach)
  const points: (RacePointJson | undefined)[] = []
  let n = 0
  for await (const difference of readAll(store, race.id)) {
    tally.add(difference)
    n += 1
    if (Math.floor((n * REBUILT_POINTS) / labels) === Math.floor(((n - 1) * REBUILT_POINTS) / labels)) continue
    points.push(toPoint(judgeRace(rule, tally.toEvidence(0)), undefined))
  }
  return points.filter(point => point !== undefined)
}

async function* readAll(store: Pick<Store, 'readDifferencesAfter'>, race: number): AsyncGenerator<LossTerms> {
  let page = await store.readDifferencesAfter(race, [])
  for (;;) {
    for (const [at, loss] of page.differences.entries()) yield { loss, weight: page.weights[at] ?? 1 }
    if (page.isLast) return
    page = await store.readDifferencesAfter(race, [page.cursor])
    // What changes while it is read is in the series from the next label on.
    if (page.from === undefined) return
  }
}
