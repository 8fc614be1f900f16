import type { RaceJson, VerdictJson } from '../control/index.ts'
import { paint, toFigure, toTable } from './terminal.ts'
import { toParamsText } from './training-view.ts'

/** The race as a table of its two arms, the improvement with its bounds, and the verdict in words. */
export function toRaceLines(race: RaceJson, colours: boolean): string {
  const rows = race.variants.map(arm => [
    `${arm.role} ${arm.name} v${arm.version}`,
    String(arm.predictions),
    String(arm.labels),
    toFigure(arm.meanLoss),
    toParamsText(arm.params),
  ])
  const { gates, reason, state } = race.verdict
  const missing = gates.filter(({ passed }) => !passed).map(({ detail, name }) => `  ${name}: ${detail}\n`)
  const style = state === 'promote-B' ? 'green' : state === 'keep-A' ? 'yellow' : 'bold'
  return (
    toTable(['VARIANT', 'PREDICTIONS', 'LABELS', `MEAN LOSS (${race.loss})`, 'PARAMS'], rows) +
    `improvement of B ${toImprovement(race.verdict, race.alpha)}\n` +
    `${paint(colours, style, state)}: ${reason}\n` +
    missing.join('') +
    (race.drift ? `drift: the live data of now contradict the decision of ${race.decision?.at ?? ''}\n` : '')
  )
}

/** The improvement on one line: `4.69 [0.93, 8.45] (95 % confidence sequence, 512 labels)`. */
export function toImprovement(verdict: VerdictJson, alpha: number): string {
  const bounds = verdict.lower === null ? 'no bounds yet' : `[${toFigure(verdict.lower)}, ${toFigure(verdict.upper)}]`
  return `${toFigure(verdict.estimate)} ${bounds} (${toFigure((1 - alpha) * 100)} % confidence sequence, ${verdict.labels} labels)`
}
