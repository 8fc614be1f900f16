import type { ArmJson, GuardrailJson, RaceJson, RampJson, VerdictJson } from '../control/index.ts'
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
  const missing = gates.filter(({ passed }) => !passed).map(({ detail, name }) => `  ${name}: ${detail}\n`)
  const style = state === 'promote-B' ? 'green' : state === 'keep-A' ? 'yellow' : 'bold'
  return (
    toTable(['VARIANT', 'PREDICTIONS', 'LABELS', `MEAN LOSS (${race.loss})`, 'PARAMS'], rows) +
    `improvement of B ${toImprovement(race.verdict, race.alpha)}\n` +
    `${paint(colours, style, state)}: ${reason}\n` +
    missing.join('') +
    toMaturityLines(race) +
    toOutlookLine(race.outlook, race.verdict.labels) +
    race.guardrails.map(guardrail => toGuardrailLine(guardrail, colours)).join('') +
    toRampLine(race.ramp) +
    race.events.map(({ at, detail, kind }) => `${at} ${kind}: ${detail}\n`).join('') +
    (race.drift ? `drift: the live data contradict the decision of ${race.decision?.at ?? ''}\n` : '')
  )
}

/** Where only mature predictions are judged: how many have a truth, and what the young ones say, marked as such. */
function toMaturityLines({ maturityMs, variants }: RaceJson): string {
  if (maturityMs === 0) return ''
  const line = (of: (arm: ArmJson) => string): string => variants.map(arm => `${arm.role} ${of(arm)}`).join('; ')
  const labelled = line(({ maturity: { labelled, predictions } }) => `${labelled} of ${predictions}`)
  const young = line(({ maturity: { provisional } }) => {
    const { labels, meanLoss } = provisional
    return labels === 0 ? 'none' : `${labels} with a mean loss of ${toFigure(meanLoss)}`
  })
  const late = variants.flatMap(({ lateness, role }) =>
    lateness === null ? [] : [`${role} ${toDuration(lateness.medianMs)} (95 % within ${toDuration(lateness.p95Ms)})`],
  )
  return (
    `judged from the age of ${toDuration(maturityMs)}: with a truth ${labelled}\n` +
    `provisional, not judged: ${young}\n` +
    (late.length === 0 ? '' : `truth takes: ${late.join('; ')}\n`)
  )
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const

function toDuration(ms: number): string {
  const [unit, size] = UNITS.find(([, size]) => ms >= size) ?? ['ms', 1]
  return `${toFigure(ms / size)} ${unit}`
}

/** What is still missing: labels for the smallest wanted gain, or as it looks now, and until when. */
export function toOutlookLine(outlook: RaceJson['outlook'], have: number): string {
  if (outlook === null) return ''
  const { expected, from, gain, labels, labelsPerDay } = outlook
  const { low, high } = labels
  const range = high === null ? `${toCount(low)} or more` : `${toCount(low)} to ${toCount(high)}`
  const count = low === high ? `about ${toCount(low)}` : range
  const what = from === 'min-gain' ? `a gain of ${toFigure(gain)}` : `the difference of now (${toFigure(gain)})`
  const more = low === high && low > have ? `, ${toCount(low - have)} more` : ''
  const rate = labelsPerDay === null ? '' : `; at ${toCount(Math.round(labelsPerDay))} a day ${toWhen(expected)}`
  return `needed: ${count} labels in all for ${what}${more}${rate}\n`
}

function toWhen({ from, to }: NonNullable<RaceJson['outlook']>['expected']): string {
  if (from === null) return 'not within a hundred years'
  if (to === from) return `until ${toMinute(from)}`
  return to === null ? `not before ${toMinute(from)}` : `between ${toMinute(from)} and ${toMinute(to)}`
}

function toMinute(instant: string): string {
  return `${instant.slice(0, 16).replace('T', ' ')} UTC`
}

/** A count with commas between thousands. */
function toCount(count: number): string {
  return count.toLocaleString('en-US')
}

const GUARDRAIL_STYLE = { watching: 'yellow', quiet: 'green', breached: 'red' } as const

function toGuardrailLine({ detail, name, state }: GuardrailJson, colours: boolean): string {
  return `${name} ${paint(colours, GUARDRAIL_STYLE[state], state)}: ${detail}\n`
}

function toRampLine(ramp: RampJson | null): string {
  if (ramp === null) return ''
  const steps = ramp.steps.map(step => (step === ramp.weight ? `[${toPercent(step)}]` : toPercent(step)))
  return `ramp ${steps.join(' ')}${ramp.waitsFor === null ? '' : `, waits for ${ramp.waitsFor}`}\n`
}

function toPercent(share: number): string {
  return `${toFigure(share * 100)} %`
}

/** The improvement on one line: `4.69 [0.93, 8.45] (95 % confidence sequence, 512 labels)`. */
export function toImprovement(verdict: VerdictJson, alpha: number): string {
  const bounds = verdict.lower === null ? 'no bounds yet' : `[${toFigure(verdict.lower)}, ${toFigure(verdict.upper)}]`
  return `${toFigure(verdict.estimate)} ${bounds} (${toFigure((1 - alpha) * 100)} % confidence sequence, ${verdict.labels} labels)`
}
