import type { LossSpec } from '../sums/loss.ts'

const NAMES = {
  squared: 'squared error',
  absolute: 'absolute error',
  wmape: 'wMAPE',
  log: 'log loss',
  brier: 'Brier loss',
  'zero-one': 'error rate',
  value: 'mean loss',
  pinball: 'pinball loss',
} as const satisfies Record<LossSpec['kind'], string>

/** What a loss is called in a sentence. */
export function toLossName({ kind }: LossSpec): string {
  return NAMES[kind]
}
