import { toMedian } from '../statistics.ts'
import { toAligned } from '../table.ts'
import { CASES, type Case } from './contender.ts'
import type { Cost } from './measure.ts'
import type { Costs } from './rounds.ts'

/** How one contender did in one case, as multiples of regatta in the same round. */
export interface Line {
  readonly case: Case
  readonly contender: string
  readonly rounds: number
  /** Median of the rounds' ratios of wall time; above 1 regatta is faster. */
  readonly wallRatio: number
  /** Fastest against fastest: the less disturbed estimate. */
  readonly wallRatioOfMin: number
  /** Of the client's CPU time, not that of a daemon. */
  readonly cpuRatio: number
  readonly medianWallS: number
  readonly medianCpuS: number
  readonly peakBytes: number
}

/** Builders whose work is done by a daemon: their clients' CPU and memory say nothing. */
const DAEMONS: readonly string[] = ['docker', 'buildkit']

/** Compares every contender with regatta, case by case. */
export function toLines(costs: Costs): readonly Line[] {
  return CASES.flatMap(kind => {
    const rounds = costs.get(kind) ?? []
    const names = [...new Set(rounds.flatMap(round => [...round.keys()]))].sort(byName)
    return names.map(name => toLine(kind, name, rounds))
  })
}

const byName = (a: string, b: string): number => Number(b === 'regatta') - Number(a === 'regatta') || (a < b ? -1 : 1)

function toLine(kind: Case, contender: string, rounds: readonly ReadonlyMap<string, Cost>[]): Line {
  const pairs = rounds.flatMap(round => {
    const [own, other] = [round.get('regatta'), round.get(contender)]
    return own === undefined || other === undefined ? [] : [{ own, other }]
  })
  const fastest = (costs: readonly Cost[]): number => Math.min(...costs.map(cost => cost.wallS))
  return {
    case: kind,
    contender,
    rounds: pairs.length,
    wallRatio: toMedian(pairs.map(({ other, own }) => other.wallS / own.wallS)),
    wallRatioOfMin: fastest(pairs.map(({ other }) => other)) / fastest(pairs.map(({ own }) => own)),
    cpuRatio: toMedian(pairs.map(({ other, own }) => other.cpuS / own.cpuS)),
    medianWallS: toMedian(pairs.map(({ other }) => other.wallS)),
    medianCpuS: toMedian(pairs.map(({ other }) => other.cpuS)),
    peakBytes: Math.max(...pairs.map(({ other }) => other.peakBytes)),
  }
}

/** The table of a terminal. */
export function toTable(lines: readonly Line[]): string {
  const head = ['case', 'builder', 'rounds', 'wall ÷ regatta', '[fastest]', 'client CPU ÷ regatta', 'peak MB']
  const rows = lines.map(line => {
    const daemon = DAEMONS.includes(line.contender)
    return [
      line.case,
      line.contender,
      String(line.rounds),
      line.wallRatio.toFixed(2),
      `[${line.wallRatioOfMin.toFixed(2)}]`,
      daemon ? '-' : line.cpuRatio.toFixed(2),
      daemon ? '-' : (line.peakBytes / 1e6).toFixed(0),
    ]
  })
  return toAligned(head, rows)
}
