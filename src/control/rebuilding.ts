import {
  addToOrdered,
  type Evidence,
  emptyJoint,
  emptyMoments,
  fold,
  foldJoint,
  judgeRace,
  type LossTerms,
  toEmptyOrdered,
  toOrderedEvidence,
  toReach,
} from '../judge/index.ts'
import type { Store, StoredRace } from '../store/index.ts'
import type { RacePointJson } from './api.ts'
import { toRaceRule } from './race-rule.ts'
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
  const tally = makeTally(race, cap)
  const points: (RacePointJson | undefined)[] = []
  let n = 0
  for await (const difference of readAll(store, race.id)) {
    tally.add(difference)
    n += 1
    if (Math.floor((n * REBUILT_POINTS) / labels) === Math.floor(((n - 1) * REBUILT_POINTS) / labels)) continue
    points.push(toPoint(judgeRace(rule, tally.toEvidence()), undefined))
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

interface Tally {
  readonly add: (difference: LossTerms) => void
  readonly toEvidence: () => Evidence
}

function makeTally({ spec }: StoredRace, cap: number | undefined): Tally {
  const empty = toEmptyOrdered(spec)
  if (empty !== undefined) {
    let ordered = empty
    return {
      add: difference => {
        ordered = addToOrdered(ordered, difference)
      },
      toEvidence: () => toOrderedEvidence(ordered, toReach(spec, cap) ?? Number.POSITIVE_INFINITY),
    }
  }
  let moments = emptyMoments
  let terms = emptyJoint
  return {
    add({ loss, weight }) {
      moments = fold(moments, loss)
      terms = foldJoint(terms, loss, weight)
    },
    toEvidence: () =>
      spec.loss.kind === 'wmape'
        ? { kind: 'paired-ratio', of: 'labels', terms, discordant: 0, dominance: 0 }
        : { kind: 'paired', moments, discordant: 0, dominance: 0 },
  }
}
