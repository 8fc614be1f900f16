import { addToOrdered, type Ordered } from '../../judge/index.ts'
import type { DifferencesCursor, Store } from '../../store/index.ts'

/** What was read of a race's pairs up to a place in their order. */
export interface Checkpoint {
  readonly cursor: DifferencesCursor
  readonly state: Ordered
  /** Counts up along the checkpoints of a race. */
  readonly ordinal: number
}

/** Checkpoints of one power of two are kept this far back, counted in those of that power. */
const KEPT_BACK = 4

/**
 * Reads on in the pairs of a race from where an earlier call ended (`known`), so that a look costs what is new. Where
 * older pairs have changed since, it goes back to the last checkpoint before them, else it begins anew. Gives the
 * checkpoints, of which the last is the state of now; they are about as many as the logarithm of the looks.
 */
export async function follow(
  store: Pick<Store, 'readDifferencesAfter'>,
  race: number,
  empty: Ordered,
  known: readonly Checkpoint[],
): Promise<readonly Checkpoint[]> {
  for (let kept = known; ; ) {
    const page = await store.readDifferencesAfter(
      race,
      kept.map(({ cursor }) => cursor),
    )
    const { change } = page.cursor
    // What the page comes after holds, as does what is before that, with all changes up to now.
    const valid = kept
      .slice(0, page.from === undefined ? 0 : page.from + 1)
      .map(checkpoint => ({ ...checkpoint, cursor: { ...checkpoint.cursor, change } }))
    const before = valid.at(-1)
    const state = page.differences.reduce(
      (ordered, loss, at) => addToOrdered(ordered, { loss, weight: page.weights[at] ?? 1 }),
      before?.state ?? empty,
    )
    if (before !== undefined && page.differences.length === 0) return valid
    kept = toThinned([...valid, { cursor: page.cursor, state, ordinal: (before?.ordinal ?? 0) + 1 }])
    if (page.isLast) return kept
  }
}

/** Drops checkpoints that are old for their ordinal: the more often two divides it, the longer it stays. */
function toThinned(checkpoints: readonly Checkpoint[]): readonly Checkpoint[] {
  const last = checkpoints.at(-1)?.ordinal ?? 0
  return checkpoints.filter(({ ordinal }) => last - ordinal <= KEPT_BACK * toLowestPower(ordinal))
}

/** The largest power of two that divides a number. */
function toLowestPower(x: number): number {
  let power = 1
  while (x % (2 * power) === 0) power *= 2
  return power
}
