import { PAIRED } from './paired.ts'
import { makeRandom } from './random.ts'
import type { Scenario } from './scenario.ts'
import { SERIES } from './series.ts'
import { SPLIT } from './split.ts'
import { TRAPS } from './traps.ts'

/** Every row of the tables. */
export const SCENARIOS: readonly Scenario[] = [...PAIRED, ...SPLIT, ...SERIES, ...TRAPS]

/** A part of a row's runs, for one worker. */
export interface Task {
  readonly scenario: number
  /** Seeds from this one on. */
  readonly from: number
  readonly runs: number
}

/** Runs of a task, and how many of them named a winner, by column. */
export interface Tally extends Task {
  readonly found: readonly number[]
}

/** Runs a task. */
export function runTask(task: Task): Tally {
  const scenario = SCENARIOS[task.scenario]
  if (scenario === undefined) throw new Error(`There is no scenario ${task.scenario}`)
  const found = scenario.columns.map(() => 0)
  for (let run = 0; run < task.runs; run++) {
    const winners = scenario.run(makeRandom(1000 * (task.from + run) + task.scenario))
    for (const [i, isFound] of winners.entries()) found[i] = (found[i] ?? 0) + Number(isFound)
  }
  return { ...task, found }
}
