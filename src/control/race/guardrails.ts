import { type ArmHealth, type Guardrail, toGuardrails } from '../../judge/index.ts'
import { type Durations, type RaceSums, type StoredRace, toBucketBounds } from '../../store/index.ts'

/**
 * What the guardrails of a race say of its last epoch, with its part of alpha: what came before was answered at another
 * share, among others perhaps, and had its own look.
 */
export function toRaceGuardrails(
  race: StoredRace,
  comparisons: number,
  epochs: readonly number[],
  { sums, durations }: { readonly sums: RaceSums; readonly durations: readonly Durations[] },
): readonly Guardrail[] {
  const { alpha, guardrails } = race.spec
  const epoch = epochs.at(-1)
  if (epoch === undefined || Object.values(guardrails).every(limit => limit === undefined)) return []
  const healthOf = (variant: number): ArmHealth => toHealth({ epoch, variant }, sums, durations)
  const rule = { ...guardrails, alpha: alpha / comparisons }
  return toGuardrails(rule, [healthOf(race.a), healthOf(race.b)], epochs.length)
}

interface Whose {
  readonly epoch: number
  readonly variant: number
}

/** How a variant answered in an epoch. */
export function toHealth(
  { epoch, variant }: Whose,
  { arms }: Pick<RaceSums, 'arms'>,
  durations: readonly Durations[],
): ArmHealth {
  const isIts = (one: Whose): boolean => one.epoch === epoch && one.variant === variant
  const { answers = 0, errors = 0 } = arms.find(isIts) ?? {}
  const buckets = durations.find(one => isIts(one) && one.name === 'latency')?.buckets ?? []
  const latencies = [...buckets]
    .sort((a, b) => a.bucket - b.bucket)
    .map(({ bucket, count }) => {
      const { fromMs, upToMs } = toBucketBounds(bucket)
      return { fromUs: fromMs * 1000, upToUs: upToMs * 1000, count }
    })
  return { requests: answers, failures: errors, latencies }
}
