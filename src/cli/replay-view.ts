import type { RaceConfig } from '../config/index.ts'
import { toFigure } from '../core/figure.ts'
import { type ReplayLine, toPlanText } from '../judge/index.ts'
import { toGateLines } from './race-view.ts'
import { toTable } from './terminal.ts'

/** A look along the way, on one line. */
export function toReplayRow(line: ReplayLine, alpha: number): string {
  const { means, verdict } = line
  return `a ${toFigure(means.a)}  b ${toFigure(means.b)}  improvement ${toImprovement(line, alpha)}  ${verdict}\n`
}

/** The end of a replay: the arms, the improvement, the verdict in words, and what is missing where there is none. */
export function toReplayLines(line: ReplayLine, race: RaceConfig): string {
  const { a, b, drift, gates, means, reason, verdict } = line
  const rows = [
    [`A ${a ?? '–'}`, toFigure(means.a)],
    [`B ${b ?? '–'}`, toFigure(means.b)],
  ]
  return [
    toTable(['VARIANT', `MEAN LOSS (${race.loss.kind})`], rows),
    `improvement of B ${toImprovement(line, race.alpha)}, by design ${line.design}\n`,
    `${verdict}: ${reason}\n`,
    toGateLines(gates, reason),
    ...toCompanions(line),
    ...(verdict === 'keep-racing' || verdict === 'warming-up' ? toNeeded(line) : toDecided(line)),
    ...(drift ? ['drift: looks contradict each other; the data have changed\n'] : []),
  ].join('')
}

function toImprovement({ estimate, labels, lower, upper }: ReplayLine, alpha: number): string {
  const bounds = lower === null ? 'no bounds yet' : `[${toFigure(lower)}, ${toFigure(upper)}]`
  return `${toFigure(estimate)} ${bounds} (${toFigure((1 - alpha) * 100)} % confidence sequence, ${labels.counted} labels)`
}

function toCompanions({ cap, rateRatio, winRate }: ReplayLine): readonly string[] {
  const toText = ({ estimate, lower, upper }: NonNullable<typeof winRate>): string =>
    `${toFigure(estimate)} [${toFigure(lower)}, ${toFigure(upper)}]`
  return [
    ...(winRate?.estimate == null ? [] : [`B has the smaller loss in a share of ${toText(winRate)} of the pairs\n`]),
    ...(rateRatio === null ? [] : [`rate of events in B over that in A ${toText(rateRatio)}\n`]),
    ...(cap?.at == null ? [] : [`losses are capped at ${toFigure(cap.at)}: a share of ${toFigure(cap.share)} was\n`]),
  ]
}

function toNeeded({ labels: { forEquivalence, needed, range } }: ReplayLine): readonly string[] {
  return [
    ...(needed === null ? [] : [`a gain of ${toFigure(needed.gain)} is found after ${toPlanText(needed)}\n`]),
    ...(forEquivalence === null ? [] : [`equivalent, if so, after about ${forEquivalence} labels\n`]),
    ...(range === null ? [] : [`if the improvement is about what it is so far, a verdict takes ${toRange(range)}\n`]),
  ]
}

function toRange({ low, high }: NonNullable<ReplayLine['labels']['range']>): string {
  return high === null ? `${low} labels or any number more` : `${low} to ${high} labels`
}

function toDecided({ decision }: ReplayLine): readonly string[] {
  if (decision === null) return []
  const { at, lower, n, state, upper } = decision
  const when = at === null ? '' : `, ${new Date(at).toISOString()}`
  const bounds = lower === null ? '' : ` on [${toFigure(lower)}, ${toFigure(upper)}]`
  return [`first decided ${state} after ${n} labels${bounds}${when}\n`]
}
