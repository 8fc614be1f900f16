import { createHash } from 'node:crypto'
import type { Project } from '../../config/index.ts'
import { toCanonicalJson } from '../../core/json.ts'
import { toRaceRule as judgeRule, type LossSpec, type RaceRule } from '../../judge/index.ts'
import type { RaceSpec, StoredRace } from '../../store/index.ts'

/** The rule of a race that starts now, from the configuration; `ramp`: the shares that its challenger is given. */
export function toRaceSpec({ race }: Pick<Project, 'race'>, ramp: readonly number[]): RaceSpec {
  const { task, loss, alpha, tOpt, minGain, margin, season, strict, cap } = race
  const { maturityMs, challengers, guardrails, budget } = race
  const rule = { task, loss, alpha, tOpt, minGain, margin, season, strict, ...(cap !== undefined && { cap }) }
  return { ...rule, maturityMs, challengers, ramp, guardrails, budget }
}

/** Digest of a race's rule, by which a decision tells what it was decided by. */
export function toSpecDigest(spec: RaceSpec): string {
  return `sha256:${createHash('sha256').update(toCanonicalJson(spec)).digest('hex')}`
}

/** The rule of a race that runs, with its part of alpha. */
export function toRaceRule({ design, spec }: Pick<StoredRace, 'design' | 'spec'>, comparisons: number): RaceRule {
  return judgeRule({ ...spec, alpha: spec.alpha / comparisons, cap: spec.cap }, design)
}

/**
 * Comparisons that a race shares alpha with: as many as were declared when it started (`race.challengers`), or as ever
 * ran at once since then, whichever is more. Bounds hold at all times with the whole life of a race, so with K races at
 * once, each with alpha / K, the chance that any verdict given from then on is false is alpha at most; the part of a
 * race never grows again. Where no more run than were declared, that holds for all of them from the first to the last.
 */
export function toComparisons(race: StoredRace, races: readonly StoredRace[]): number {
  const isOver = (one: StoredRace, at: number): boolean => one.ended !== undefined && one.ended.at <= at
  const starts = races.map(({ startedAt }) => startedAt).filter(at => at >= race.startedAt && !isOver(race, at))
  const counts = starts.map(at => races.filter(one => one.startedAt <= at && !isOver(one, at)).length)
  return Math.max(1, race.spec.challengers, ...counts)
}

/** A loss as regatta.yaml writes it. */
export function toLossText(loss: LossSpec): string {
  return loss.kind === 'pinball' ? `pinball(${loss.quantile})` : loss.kind
}
