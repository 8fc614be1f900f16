import { type Case, toJson } from './case.ts'

/** What was looked at together: a door and a family of one place, or one condition of a process. */
interface Group {
  requests: number
  readonly failures: string[]
}

/** A group keeps so many of its failures; more say nothing new. */
const KEPT = 3

/** Where a case stands in its run, so that it can be had again. */
export interface Origin {
  readonly place: string
  readonly seed: number
  readonly at: number
}

/** Counts requests and groups them into checks. */
export class Tally {
  readonly #groups = new Map<string, Group>()
  #requests = 0

  /** All requests that were sent. */
  get requests(): number {
    return this.#requests
  }

  /** How many of all groups failed, and passed. */
  get counts(): { readonly passed: number; readonly failed: number } {
    const failed = [...this.#groups.values()].filter(group => group.failures.length > 0).length
    return { passed: this.#groups.size - failed, failed }
  }

  /** Notes a case, and what is wrong with its answer. */
  addCase(example: Case, origin: Origin, problem: string | undefined): void {
    this.#requests += 1
    const said = problem === undefined ? undefined : `${problem}\n${toReport(example, origin)}`
    this.add(toGroup(example, origin), said, 1)
  }

  /** Whether a failure of such a case would be shown. */
  shows(example: Case, origin: Origin): boolean {
    return (this.#groups.get(toGroup(example, origin))?.failures.length ?? 0) < KEPT
  }

  /** Notes a check. */
  add(name: string, problem: string | undefined, requests = 0): void {
    const group = this.#groups.get(name) ?? { requests: 0, failures: [] }
    this.#groups.set(name, group)
    group.requests += requests
    if (problem !== undefined && group.failures.length < KEPT) {
      group.failures.push(problem)
      console.log(`✖ ${name}: ${problem}`)
    }
  }

  /** Prints a line for each group. */
  print(): void {
    for (const [name, { requests, failures }] of [...this.#groups].sort())
      console.log(`${failures.length === 0 ? '✔' : '✖'} ${name}${requests === 0 ? '' : ` (${requests})`}`)
  }
}

function toGroup({ door, family }: Case, { place }: Origin): string {
  return `${place}: ${door}, ${family}`
}

function toReport(example: Case, { place, seed, at }: Origin): string {
  const json = JSON.stringify(toJson(example))
  const shown = json.length > 4000 ? `${json.slice(0, 4000)}…` : json
  return `  again: npm run fuzz -- --seed ${seed} --only ${place}/${example.door} --at ${at}\n  case: ${shown}`
}
