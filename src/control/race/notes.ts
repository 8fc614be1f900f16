import { toFigure } from '../../core/figure.ts'
import type { ArmJson, NoteJson, OutlookJson, RaceJson } from '../api/race.ts'

/** What the notes of a race are made of. */
export type NotedRace = Pick<
  RaceJson,
  'design' | 'maturityMs' | 'outlook' | 'refused' | 'truths' | 'variants' | 'verdict'
>

/**
 * Says in words what else whoever looks at a race should know: where only mature predictions are judged, how many have
 * a truth and what the younger ones say, marked as provisional; and what a verdict still needs.
 */
export function toRaceNotes(race: NotedRace, isOtherRule: boolean): readonly NoteJson[] {
  return [
    ...(isOtherRule ? [OTHER_RULE] : []),
    ...toMaturityNotes(race),
    ...toComparedNotes(race),
    ...toOutlookNotes(race.outlook, race.verdict.labels),
    ...toTruthNotes(race),
  ]
}

const OTHER_RULE: NoteJson = {
  name: 'rule',
  detail: 'that of the start of this race; regatta.yaml has another by now, for races that start later',
}

/** Designs that count labels of both arms. */
const SPLITS: readonly string[] = ['split', 'epochs', 'adjusted'] satisfies readonly RaceJson['design'][]

function toComparedNotes({ design, variants, verdict }: NotedRace): readonly NoteJson[] {
  const all = variants.reduce((sum, arm) => sum + arm.labels, 0)
  if (!SPLITS.includes(design) || verdict.labels >= all) return []
  const why = 'those of a draw by chance, in epochs in which both arms have enough'
  return [{ name: 'compared', detail: `${toCount(verdict.labels)} of ${toCount(all)} labels: ${why}` }]
}

/** What is wrong with the truths, or that there are none: who waits for a verdict should not wait in vain. */
function toTruthNotes({ refused, truths, variants }: NotedRace): readonly NoteJson[] {
  const hasTruth = variants.some(({ maturity }) => maturity.labelled + maturity.provisional.labels > 0)
  const waits = !hasTruth && refused === 0 && variants.some(({ predictions }) => predictions > 0)
  return [
    ...(waits ? [NO_TRUTH] : []),
    ...(truths.orphan > 0 ? [{ name: 'truths that match no prediction so far', detail: toCount(truths.orphan) }] : []),
    ...(refused > 0 ? [{ name: 'predictions whose truth gives no finite loss', detail: toCount(refused) }] : []),
  ]
}

const NO_TRUTH: NoteJson = {
  name: 'truth',
  detail: 'none has come of these predictions: regatta truth FILE, or POST /truth',
}

function toMaturityNotes({ maturityMs, variants }: NotedRace): readonly NoteJson[] {
  if (maturityMs === 0) return []
  const join = (of: (arm: ArmJson) => string): string => variants.map(arm => `${arm.role} ${of(arm)}`).join('; ')
  const labelled = join(({ maturity: { labelled, predictions } }) => `${labelled} of ${predictions}`)
  const late = variants.flatMap(({ lateness, role }) =>
    lateness === null ? [] : [`${role} ${toDuration(lateness.medianMs)} (95 % within ${toDuration(lateness.p95Ms)})`],
  )
  return [
    { name: 'judged', detail: `predictions from the age of ${toDuration(maturityMs)}; with a truth ${labelled}` },
    { name: 'provisional, not judged', detail: join(toProvisional) },
    ...(late.length === 0 ? [] : [{ name: 'truth takes', detail: late.join('; ') }]),
  ]
}

function toProvisional({ maturity: { provisional } }: ArmJson): string {
  const { labels, meanLoss } = provisional
  return labels === 0 ? 'none' : `${labels} with a mean loss of ${toFigure(meanLoss)}`
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
function toOutlookNotes(outlook: OutlookJson | null, have: number): readonly NoteJson[] {
  if (outlook === null) return []
  const { expected, from, gain, labels, labelsPerDay } = outlook
  const { low, high } = labels
  const range = high === null ? `${toCount(low)} or more` : `${toCount(low)} to ${toCount(high)}`
  const count = low === high ? `about ${toCount(low)}` : range
  const what = from === 'min-gain' ? `a gain of ${toFigure(gain)}` : `the difference of now (${toFigure(gain)})`
  const more = low === high && low > have ? `, ${toCount(low - have)} more` : ''
  const rate = labelsPerDay === null ? '' : `; at ${toCount(Math.round(labelsPerDay))} a day ${toWhen(expected)}`
  return [{ name: 'needed', detail: `${count} labels in all for ${what}${more}${rate}` }]
}

function toWhen({ from, to }: OutlookJson['expected']): string {
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
