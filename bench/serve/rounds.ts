import type { Bench } from './bench.ts'
import type { Entry } from './entry.ts'
import { type Field, toReason } from './field.ts'
import { type Case, isSameCase, type Problem, type Sample } from './results.ts'

/** A load before the first round, for code to be compiled and caches to fill. */
const WARM_UP_S = 2

/** What the rounds gave. */
export interface Rounds {
  readonly samples: readonly Sample[]
  readonly problems: readonly Problem[]
}

/**
 * Measures all cases in turn, round by round, so that what disturbs this machine disturbs all alike. A case that fails
 * is left out from there on.
 */
export async function runRounds(bench: Bench, { entries, model }: Field): Promise<Rounds> {
  const samples: Sample[] = []
  const problems: (Problem & { readonly case: Case })[] = []
  const attempt = async (entry: Entry, seconds: number): Promise<Omit<Sample, 'round'> | undefined> => {
    if (problems.some(problem => isSameCase(problem.case, entry.case))) return undefined
    try {
      return { ...entry.case, ...(await entry.measure(seconds)) }
    } catch (error) {
      const { contender, protocol } = entry.case
      bench.tell(`${model.name} ${contender} ${protocol} is left out from here on: ${toReason(error)}`)
      const which = protocol === 'call' ? {} : { protocol }
      problems.push({ case: entry.case, contender, model: model.name, ...which, reason: toReason(error) })
      return undefined
    }
  }
  for (const entry of entries) if (entry.isWarmedUp) await attempt(entry, WARM_UP_S)
  for (let round = 0; round < bench.rounds; round += 1) {
    // Another one begins each time.
    const first = Math.floor((round * entries.length) / bench.rounds)
    for (const entry of [...entries.slice(first), ...entries.slice(0, first)]) {
      const sample = await attempt(entry, bench.seconds)
      if (sample !== undefined) samples.push({ ...sample, round })
    }
    bench.tell(`${model.name}: round ${round + 1} of ${bench.rounds} is done`)
  }
  return { samples, problems }
}
