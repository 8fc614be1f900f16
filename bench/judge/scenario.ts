import type { Random } from './random.ts'

/** Labels of a run, as in the reference tables. */
export const LABELS = 10_000
/** Every race's chance of a false winner. */
export const RULE = { alpha: 0.05, tOpt: 1000 } as const

/** One way of judging, and what the reference table says of it. */
export interface Column {
  readonly name: string
  /** Share of null races with a false winner; undefined where nobody measured it. */
  readonly reference: number | undefined
  /** Runs behind the reference. */
  readonly runs: number
  /** Where the reference does not say how its data were made: the rate must only not exceed it, or alpha. */
  readonly atMost?: boolean
}

/** Null races of one kind, judged in several ways at once. */
export interface Scenario {
  readonly table: string
  readonly name: string
  readonly columns: readonly Column[]
  /** Runs one race; says of each column whether it named a winner. */
  readonly run: (random: Random) => readonly boolean[]
}

/** A column with its reference. */
export function toColumn(name: string, reference: number | undefined, runs = 2000): Column {
  return { name, reference, runs }
}

/** A column whose data the reference does not describe. */
export function toLimit(name: string, reference: number, runs = 2000): Column {
  return { name, reference, runs, atMost: true }
}
