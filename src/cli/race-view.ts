import type { GuardrailJson, RaceJson, VerdictJson } from '../control/index.ts'
import { toFigure } from '../core/figure.ts'
import { paint, toTable } from './terminal.ts'
import { toParamsText } from './training-view.ts'

/** Races one after the other. */
export function toRacesLines(races: readonly RaceJson[], colours: boolean): string {
  return races.map(race => toRaceLines(race, colours)).join('\n')
}

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
  const style = state === 'promote-B' ? 'green' : state === 'keep-A' ? 'yellow' : 'bold'
  return (
    toTable(['VARIANT', 'PREDICTIONS', 'LABELS', `MEAN LOSS (${race.loss})`, 'PARAMS'], rows) +
    `improvement of B ${toImprovement(race.verdict, race.alpha)}\n` +
    `${paint(colours, style, state)}: ${reason}\n` +
    toGateLines(gates, reason) +
    toCourseLines(race) +
    race.notes.map(({ detail, name }) => `${name}: ${detail}\n`).join('') +
    race.guardrails.map(guardrail => toGuardrailLine(guardrail, colours)).join('') +
    toRampLine(race) +
    race.events.map(({ at, detail, kind }) => `${at} ${kind}: ${detail}\n`).join('') +
    (race.drift ? `drift: the live data contradict the decision of ${race.decision?.at ?? ''}\n` : '')
  )
}

/** The gates that have not passed; those that the reason names are not told twice. */
export function toGateLines(gates: VerdictJson['gates'], reason: string): string {
  const missing = gates.filter(({ detail, passed }) => !passed && !reason.includes(detail))
  return missing.map(({ detail, name }) => `  ${name}: ${detail}\n`).join('')
}

/** When it was first decided, and how it ended. */
function toCourseLines({ decision, ended }: RaceJson): string {
  const decided = decision === null ? '' : `decided: ${decision.at}, after ${decision.labels} labels\n`
  return decided + (ended === null ? '' : `ended: ${ended.at}, ${ended.how}\n`)
}

const GUARDRAIL_STYLE = { watching: 'yellow', quiet: 'green', breached: 'red' } as const

function toGuardrailLine({ detail, name, state }: GuardrailJson, colours: boolean): string {
  return `${name} ${paint(colours, GUARDRAIL_STYLE[state], state)}: ${detail}\n`
}

/** The steps, and what the next one waits for: of guardrails, which stand above with their figures, the names. */
function toRampLine({ guardrails, ramp }: Pick<RaceJson, 'guardrails' | 'ramp'>): string {
  if (ramp === null) return ''
  const steps = ramp.steps.map(step => (step === ramp.weight ? `[${toPercent(step)}]` : toPercent(step)))
  const waitsFor = guardrails.reduce(
    (text, { detail, name }) => text?.replace(`${name}: ${detail}`, name) ?? null,
    ramp.waitsFor,
  )
  return `ramp ${steps.join(' ')}${waitsFor === null ? '' : `, waits for ${waitsFor}`}\n`
}

function toPercent(share: number): string {
  return `${toFigure(share * 100)} %`
}

/** The improvement on one line: `4.69 [0.93, 8.45] (95 % confidence sequence, 512 labels)`. */
export function toImprovement(verdict: VerdictJson, alpha: number): string {
  const bounds = verdict.lower === null ? 'no bounds yet' : `[${toFigure(verdict.lower)}, ${toFigure(verdict.upper)}]`
  return `${toFigure(verdict.estimate)} ${bounds} (${toFigure((1 - alpha) * 100)} % confidence sequence, ${verdict.labels} labels)`
}
