import type { Project } from '../config/index.ts'
import type { LossSpec, RaceRule } from '../judge/index.ts'
import type { RaceSpec, StoredRace } from '../store/index.ts'

/** The rule of a race that starts now, from the configuration. */
export function toRaceSpec({ race }: Project): RaceSpec {
  const { task, loss, alpha, tOpt, minGain, margin, season } = race
  return { task, loss, alpha, tOpt, minGain, margin, season }
}

/**
 * The rule of a race that runs. Forecasts of one series err alike from one hour to the next, so their losses are
 * judged as dependent; of a split the judge then says that it cannot tell.
 */
export function toRaceRule({ design, spec }: StoredRace): RaceRule {
  const { task, loss, alpha, tOpt, minGain, margin, season } = spec
  const dependent = task === 'forecast'
  return { design, dependent, season, alpha, tOpt, minGain, margin, binary: loss.kind === 'zero-one' }
}

/** A loss as regatta.yaml writes it. */
export function toLossText(loss: LossSpec): string {
  return loss.kind === 'pinball' ? `pinball(${loss.quantile})` : loss.kind
}
