import { toLabelsNeeded, type Verdict } from '../../judge/index.ts'
import type { RaceSpec } from '../../store/index.ts'
import type { OutlookJson } from '../api/race.ts'

/** What an outlook is made of. */
export interface OutlookFacts {
  readonly spec: Pick<RaceSpec, 'alpha' | 'tOpt' | 'minGain'>
  readonly verdict: Pick<Verdict, 'state' | 'estimate' | 'se' | 'n'>
  readonly labelsPerDay: number | undefined
  /** Epoch ms. */
  readonly now: number
}

/** Half of all estimates are within this many standard errors of what they estimate. */
const MIDDLE = 0.6744897501960817
const DAY_MS = 86_400_000
/** Later than this nobody plans, and a date cannot say. */
const MAX_DAYS = 36_500

/**
 * Says how many labels a race without a verdict still needs, and when they will be there: for the smallest gain that is
 * wanted, or where none is, for a difference as it looks now, which is no more than a range. Null where there is a
 * verdict or nothing to tell from.
 */
export function toOutlook({ spec, verdict, labelsPerDay, now }: OutlookFacts): OutlookJson | null {
  const { state, estimate, se, n } = verdict
  if (state !== 'keep-racing' && state !== 'warming-up') return null
  const sd = se * Math.sqrt(n)
  if (n < 2 || !(sd > 0)) return null
  const needed = (gain: number): number | null => (gain > 0 ? (toLabelsNeeded(gain, sd, spec) ?? null) : null)
  const seen = Math.abs(estimate)
  const isWanted = spec.minGain > 0
  const low = needed(isWanted ? spec.minGain : seen + MIDDLE * se)
  const high = isWanted ? low : needed(seen - MIDDLE * se)
  if (low === null) return null
  const toInstant = (labels: number): string | null => {
    if (labelsPerDay === undefined) return null
    const days = Math.max(0, labels - n) / labelsPerDay
    return days > MAX_DAYS ? null : new Date(now + days * DAY_MS).toISOString()
  }
  return {
    gain: isWanted ? spec.minGain : seen,
    from: isWanted ? 'min-gain' : 'estimate',
    labels: { low, high },
    labelsPerDay: labelsPerDay ?? null,
    expected: { from: toInstant(low), to: high === null ? null : toInstant(high) },
  }
}
