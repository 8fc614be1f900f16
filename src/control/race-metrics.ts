import { Gauge, Histogram, type Registry } from 'prom-client'
import type { Truth } from '../store/index.ts'
import type { RaceJson } from './api.ts'

/** What Prometheus is shown of the race and of truths. */
export interface RaceMetrics {
  /** Sets the figures of the races that run, or of the last one. */
  show(races: readonly RaceJson[]): void
  /** Notes how late truths came that were all new. */
  noteLateness(truths: readonly Truth[], now: number): void
}

/** From a second to a month, s. */
const LATENESS_BUCKETS = [1, 10, 60, 600, 3600, 21_600, 86_400, 604_800, 2_592_000]

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
  const lateness = new Histogram({
    name: 'regatta_truth_lateness_seconds',
    help: 'Age of the prediction, or of the time predicted for, when its truth came for the first time',
    buckets: LATENESS_BUCKETS,
    registers,
  })
  const all = [predictions, labels, joinRate, loss, improvement, judged, drift, orphans]
  const showOne = (shown: RaceJson): void => {
    const race = String(shown.race)
    for (const { name, version, predictions: made, labels: known, meanLoss } of shown.variants) {
      const variant = { race, variant: name, version: String(version) }
      predictions.set(variant, made)
      labels.set(variant, known)
      if (made > 0) joinRate.set(variant, known / made)
      if (meanLoss !== null) loss.set(variant, meanLoss)
    }
    const { estimate, lower, upper } = shown.verdict
    for (const [bound, value] of Object.entries({ estimate, lower, upper })) {
      if (value !== null) improvement.set({ race, bound }, value)
    }
    judged.set({ race }, shown.verdict.labels)
    drift.set({ race }, shown.drift ? 1 : 0)
    orphans.set(shown.truths.orphan)
  }
  return {
    show(races) {
      for (const metric of all) metric.reset()
      for (const race of races) showOne(race)
    },
    noteLateness(truths, now) {
      for (const truth of truths) lateness.observe(Math.max(0, now - toDueAt(truth)) / 1000)
    },
  }
}

/** When the prediction was made, which its UUIDv7 says, or the time that it is for. */
function toDueAt(truth: Truth): number {
  if (truth.by === 'series') return truth.at
  return Number.parseInt(truth.id.request.slice(0, 8) + truth.id.request.slice(9, 13), 16)
}
