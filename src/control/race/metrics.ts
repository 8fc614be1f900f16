import { Gauge, type Registry } from 'prom-client'
import type { RaceJson } from '../api/race.ts'
import { LatenessHistogram, type LatenessRow } from './lateness.ts'

/** What Prometheus is shown of the race and of truths. */
export interface RaceMetrics {
  /** Sets the figures of the races that run, or of the last one, and how long their truths took. */
  show(races: readonly RaceJson[], lateness: readonly LatenessRow[]): void
}

/** Makes the metrics of races in a control's registry. Those without a value, such as bounds of one label, are left out. */
export function toRaceMetrics(registry: Registry): RaceMetrics {
  const registers = [registry]
  const gauge = <label extends string>(name: string, help: string, labelNames: readonly label[]): Gauge<label> =>
    new Gauge({ name: `regatta_race_${name}`, help, labelNames, registers })
  const byVariant = ['race', 'variant', 'version'] as const
  const predictions = gauge('predictions', 'Predictions of a variant in the race', byVariant)
  const labels = gauge('labels', 'Predictions of a variant whose truth is known and gives a loss', byVariant)
  const joinRate = gauge('join_ratio', 'Share of the predictions of a variant that have a loss', byVariant)
  const loss = gauge('loss_mean', "Mean loss of a variant's labels", byVariant)
  const improvement = gauge('improvement', 'Improvement of B over A, in units of the loss, and its bounds', [
    'race',
    'bound',
  ])
  const judged = gauge('judged_labels', 'Labels that the verdict stands on', ['race'])
  const drift = gauge('drift', '1 while the data of now contradict the decision', ['race'])
  const orphans = gauge('orphans', 'Truths that wait for a prediction', [])
  const mature = gauge('mature_predictions', 'Predictions old enough to be judged, to the hour', byVariant)
  const missing = gauge('missing_truths', 'Those of them whose truth is not here', byVariant)
  const provisional = gauge('provisional_labels', 'Truths of predictions too young to be judged', byVariant)
  const refused = gauge('refused_outcomes', 'Predictions of the race whose truth gives no loss', ['race'])
  const lateness = new LatenessHistogram(registry)
  const all = [
    predictions,
    labels,
    mature,
    missing,
    provisional,
    refused,
    joinRate,
    loss,
    improvement,
    judged,
    drift,
    orphans,
  ]
  const showOne = (shown: RaceJson): void => {
    const race = String(shown.race)
    for (const { name, version, predictions: made, labels: known, meanLoss, maturity } of shown.variants) {
      const variant = { race, variant: name, version: String(version) }
      predictions.set(variant, made)
      labels.set(variant, known)
      if (made > 0) joinRate.set(variant, known / made)
      if (meanLoss !== null) loss.set(variant, meanLoss)
      mature.set(variant, maturity.predictions)
      missing.set(variant, maturity.missing)
      provisional.set(variant, maturity.provisional.labels)
    }
    const { estimate, lower, upper } = shown.verdict
    for (const [bound, value] of Object.entries({ estimate, lower, upper })) {
      if (value !== null) improvement.set({ race, bound }, value)
    }
    judged.set({ race }, shown.verdict.labels)
    refused.set({ race }, shown.refused)
    drift.set({ race }, shown.drift ? 1 : 0)
    orphans.set(shown.truths.orphan)
  }
  return {
    show(races, rows) {
      for (const metric of all) metric.reset()
      for (const race of races) showOne(race)
      lateness.show(rows)
    },
  }
}
