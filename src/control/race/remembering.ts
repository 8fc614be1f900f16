import { addLook, emptyHistory, isDecided, type RaceHistory, type Stamp, type Verdict } from '../../judge/index.ts'
import type { Decision, LookMemory, Store, StoredRace } from '../../store/index.ts'
import { toDecision } from './verdict.ts'

/** What is known of the looks at a race, the one of now included. */
export interface Remembered {
  readonly history: RaceHistory
  readonly decision: Decision | undefined
  /** The decision was just written. */
  readonly isFirst: boolean
}

/**
 * Takes a look into what is remembered of a race, and writes down what that changes: its decision where it has just
 * crossed. A race that has ended is remembered as it was.
 */
export async function remember(
  store: Pick<Store, 'readDecision' | 'addDecision' | 'readMemory' | 'writeMemory'>,
  race: StoredRace,
  verdict: Verdict,
  stamp: Stamp & { readonly at: number },
): Promise<Remembered> {
  const known = await store.readDecision(race.id)
  const memory = (await store.readMemory(race.id)) ?? toMemory(known)
  const before = { ...memory, decision: known === undefined ? null : toJudged(known) }
  if (race.ended !== undefined) return { history: before, decision: known, isFirst: false }
  const history = addLook(before, verdict, stamp)
  if (isChanged(memory, history)) {
    const { p, lower, upper, ready } = history
    await store.writeMemory(race.id, { p, lower, upper, ready })
  }
  if (known !== undefined || history.decision === null) return { history, decision: known, isFirst: false }
  const decision = await store.addDecision(toDecision({ race: race.id, ...stamp }, verdict))
  return { history, decision, isFirst: true }
}

/** A decision from before looks were remembered is all that is known of them. */
function toMemory(decision: Decision | undefined): LookMemory {
  if (decision === undefined) return emptyHistory
  const { lower, p, upper } = decision
  return { p, lower, upper, ready: true }
}

function toJudged({
  at,
  spec,
  truthRevision,
  state,
  n,
  estimate,
  se,
  lower,
  upper,
}: Decision): RaceHistory['decision'] {
  if (!isDecided(state)) throw new Error(`The database has a decision "${state}", which is none`)
  return { at, spec, truthRevision, state, n, estimate, se, lower, upper }
}

function isChanged(before: LookMemory, after: LookMemory): boolean {
  const { p, lower, upper, ready } = before
  return after.p !== p || after.lower !== lower || after.upper !== upper || after.ready !== ready
}
