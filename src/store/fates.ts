import type { Truth, TruthCounts } from './facts/truth.ts'

/** What becomes of one truth. */
export type Fate = keyof TruthCounts

/** Every fate. */
export const FATES = ['new', 'duplicate', 'revised', 'stale', 'conflict', 'orphan'] as const satisfies readonly Fate[]

/** No truths. */
export const NO_TRUTHS: TruthCounts = { new: 0, duplicate: 0, revised: 0, stale: 0, conflict: 0, orphan: 0 }

/** Counts of two lots of truths together. */
export function sumCounts(left: TruthCounts, right: TruthCounts): TruthCounts {
  const sums = { ...left }
  for (const fate of FATES) sums[fate] += right[fate]
  return sums
}

/** The truths of a batch that are about one row of a request, or one time of a series, in the order that they came in. */
export interface Reports<truth extends Truth> {
  readonly id: string
  readonly first: truth
  readonly truths: readonly truth[]
}

/** Groups truths by what they are about. */
export function toReports<truth extends Truth>(
  truths: readonly truth[],
  toId: (truth: truth) => string,
): readonly Reports<truth>[] {
  const reports = new Map<string, Reports<truth> & { readonly truths: truth[] }>()
  for (const truth of truths) {
    const id = toId(truth)
    const known = reports.get(id)
    if (known === undefined) reports.set(id, { id, first: truth, truths: [truth] })
    else known.truths.push(truth)
  }
  return [...reports.values()]
}

/** What the database knows of what a truth is about. */
export interface Known {
  readonly value: string
  readonly revision: number
  /** 0 while no prediction has come for it. */
  readonly joined: number
}

/** The truth that holds from now on, and what was known before; undefined where nothing was. */
export interface Changed<truth extends Truth> {
  readonly id: string
  readonly truth: truth
  readonly value: string
  readonly known: Known | undefined
}

/** A truth that was refused. */
export interface Conflict {
  readonly subject: string
  readonly revision: number
  readonly refused: string
  readonly kept: string
  readonly source: string | null
}

/** What becomes of the truths of a batch. */
export interface Decided<truth extends Truth> {
  /** An orphan counts as new here. */
  readonly counts: TruthCounts
  readonly changed: readonly Changed<truth>[]
  readonly conflicts: readonly Conflict[]
}

/** Says what becomes of truths by what is known; what they are about was pruned below a request. */
export function decide<truth extends Truth>(
  all: readonly Reports<truth>[],
  known: ReadonlyMap<string, Known>,
  floor: string,
): Decided<truth> {
  const counts = { ...NO_TRUTHS }
  const changed: Changed<truth>[] = []
  const conflicts = new Map<string, Conflict>()
  for (const { id, truths } of all) {
    const before = known.get(id)
    let last: Changed<truth> | undefined
    for (const truth of truths) {
      const value = JSON.stringify(truth.value)
      const holds = last === undefined ? before : { value: last.value, revision: last.truth.revision }
      const fate = toFate(truth, value, holds, floor)
      counts[fate] += 1
      if (fate === 'new' || fate === 'revised') last = { id, truth, value, known: before }
      if (fate !== 'conflict') continue
      const { revision, source = null } = truth
      const conflict = { subject: toSubjectText(truth), revision, refused: value, kept: holds?.value ?? '', source }
      const key = `${id} ${revision} ${value}`
      conflicts.set(key, conflicts.get(key) ?? conflict)
    }
    if (last !== undefined) changed.push(last)
  }
  return { counts, changed, conflicts: [...conflicts.values()] }
}

/** How a conflict names what it is about. */
function toSubjectText(truth: Truth): string {
  return truth.by === 'prediction' ? `${truth.id.request}/${truth.id.row}` : `${truth.series}/${truth.at}`
}

function toFate(
  truth: Truth,
  value: string,
  known: Pick<Known, 'value' | 'revision'> | undefined,
  floor: string,
): Exclude<Fate, 'orphan'> {
  // What it is about was pruned: it comes too late.
  if (truth.by === 'prediction' && truth.id.request < floor) return 'stale'
  if (known === undefined) return 'new'
  if (truth.revision < known.revision) return 'stale'
  if (truth.revision > known.revision) return 'revised'
  return value === known.value ? 'duplicate' : 'conflict'
}
