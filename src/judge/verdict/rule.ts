import { type LossSpec, toLossRange } from '../sums/loss.ts'
import type { RaceRule } from './race.ts'

/** A race as regatta.yaml describes it. */
export interface RaceSettings {
  readonly task: 'forecast' | 'regression' | 'classification' | 'value'
  readonly loss: LossSpec
  readonly alpha: number
  readonly tOpt: number
  readonly minGain: number
  readonly margin: number
  readonly season: number
  readonly strict: boolean
  /** Quantile of A's first losses that all losses are capped at. */
  readonly cap: number | undefined
}

/**
 * The rule of a race. Forecasts of one series err alike from one hour to the next, so their losses are judged as
 * dependent.
 */
export function toRaceRule(settings: RaceSettings, design: RaceRule['design']): RaceRule {
  const { alpha, cap, loss, margin, minGain, season, task, tOpt } = settings
  const range = toLossRange(loss)
  return {
    ...{ design, alpha, tOpt, minGain, margin, season, strict: settings.strict },
    dependent: task === 'forecast',
    binary: loss.kind === 'zero-one',
    // A logarithm is bounded, but one sure mistake costs as much as fifty even guesses.
    boundedLoss: cap !== undefined || (range !== undefined && range.high <= 1),
  }
}

/** How far a difference of two losses can be from 0; undefined where nothing bounds it. */
export function toReach({ loss }: Pick<RaceSettings, 'loss'>, cap: number | undefined): number | undefined {
  const range = toLossRange(loss)
  const reach = range === undefined ? Number.POSITIVE_INFINITY : range.high - range.low
  // A value may have either sign, so that two capped ones are up to twice the cap apart.
  const capped = cap === undefined ? Number.POSITIVE_INFINITY : loss.kind === 'value' ? 2 * cap : cap
  const least = Math.min(reach, capped)
  return least === Number.POSITIVE_INFINITY ? undefined : least
}
