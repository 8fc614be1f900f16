import { toMedian } from '../statistics.ts'
import type { Look, Slice } from './messages.ts'

/** Everything that was measured of one database, in the order of time. */
export interface Measured {
  readonly database: 'sqlite' | 'postgres'
  readonly slices: readonly (Slice & { readonly requests: number })[]
  /** Looks, with how many predictions were there. */
  readonly looks: readonly (Look & { readonly predictions: number })[]
  /** Rows per second of single inserts beside it; of PostgreSQL alone. */
  readonly rowByRow: readonly { readonly own: number; readonly one: number }[]
}

/** What the bench says of one database at one size. */
export interface Line {
  readonly database: Measured['database']
  readonly predictions: number
  /** Prediction rows and joined truths per second, by the clock and by the writer's CPU time: medians of the slices. */
  readonly predictionsPerS: number
  readonly predictionsPerCpuS: number
  readonly truthsPerS: number
  readonly truthsPerCpuS: number
  readonly readMs: number
  readonly recomputeMs: number
  readonly rssBytes: number
}

/** Sums up the slices up to each look. */
export function toLines({ database, looks, slices }: Measured): readonly Line[] {
  let from = 0
  return looks.map(look => {
    let to = from
    let stored = slices.slice(0, from).reduce((sum, { requests }) => sum + 2 * requests, 0)
    for (; stored < look.predictions && to < slices.length; to++) stored += 2 * (slices[to]?.requests ?? 0)
    const own = slices.slice(from, to)
    from = to
    return { database, ...toRates(own), ...look }
  })
}

function toRates(slices: Measured['slices']) {
  const rate = (of: (slice: Measured['slices'][number]) => number): number => toMedian(slices.map(of))
  return {
    predictionsPerS: rate(({ predictions, requests }) => (2000 * requests) / predictions.ms),
    predictionsPerCpuS: rate(({ predictions, requests }) => (2000 * requests) / predictions.cpuMs),
    truthsPerS: rate(({ requests, truths }) => (1000 * requests) / truths.ms),
    truthsPerCpuS: rate(({ requests, truths }) => (1000 * requests) / truths.cpuMs),
  }
}

/** A tenth of the slices at the end against a tenth at the begin, without the very first: 1 is flat, less is slower. */
export function toFlatness({ slices }: Measured, by: 'ms' | 'cpuMs'): number {
  const length = Math.max(3, Math.floor(slices.length / 10))
  const cost = (some: Measured['slices']): number =>
    toMedian(some.map(({ predictions, requests, truths }) => (predictions[by] + truths[by]) / requests))
  return cost(slices.slice(1, 1 + length)) / cost(slices.slice(-length))
}

/** A claim of the documents, and whether it held. */
export interface Claim {
  readonly name: string
  readonly wanted: string
  readonly found: string
  readonly holds: boolean
}

/** Looks at what was measured. Rates of SQLite are those of its process alone; of a busy machine those by CPU time. */
export function toClaims(measured: Measured): readonly Claim[] {
  const lines = toLines(measured)
  const { database } = measured
  const worst = (of: (line: Line) => number, how: 'min' | 'max'): number => Math[how](...lines.map(of))
  const claims = [
    toClaim('last slices as fast as the first (CPU)', '≥ 0.80', toFlatness(measured, 'cpuMs'), x => x >= 0.8),
    toClaim(
      'reading the scoreboard, ms',
      '< 2',
      worst(line => line.readMs, 'max'),
      x => x < 2,
    ),
    toClaim('memory, MB', '< 150', worst(line => line.rssBytes, 'max') / 1e6, x => x < 150),
    ...lines
      .filter(({ predictions }) => predictions >= 100_000)
      .map(line => {
        const ratio = line.recomputeMs / line.readMs
        return toClaim(`recompute / read at ${line.predictions}`, '> 100', ratio, x => x > 100)
      }),
  ]
  if (database === 'sqlite') {
    claims.push(
      toClaim(
        'predictions per CPU second',
        '≥ 50000',
        worst(line => line.predictionsPerCpuS, 'min'),
        x => x >= 50_000,
      ),
      toClaim(
        'joined truths per CPU second',
        '≥ 15000',
        worst(line => line.truthsPerCpuS, 'min'),
        x => x >= 15_000,
      ),
    )
  } else {
    const own = toMedian(measured.slices.map(({ predictions, requests }) => (2000 * requests) / predictions.ms))
    const ratio = own / toMedian(measured.rowByRow.map(({ own }) => own))
    claims.push(toClaim('predictions / single inserts', '≥ 25', ratio, x => x >= 25))
  }
  return claims.map(claim => ({ ...claim, name: `${database}: ${claim.name}` }))
}

function toClaim(name: string, wanted: string, found: number, isMet: (found: number) => boolean): Claim {
  return { name, wanted, found: found.toPrecision(3), holds: isMet(found) }
}
