import {
  CAP_LABELS,
  type CapProgress,
  type Evidence,
  emptyJoint,
  type JointEpoch,
  type JointMoments,
  type Ordered,
  toDominance,
  toOrderedEvidence,
  toPlainJoint,
  toRatioM2,
  toReach,
} from '../../judge/index.ts'
import type { ArmSums, CrossSums, EpochArms, RaceSums, StoredRace } from '../../store/index.ts'

/** What a race is judged by: its sums, and its pairs where their order matters. */
export interface RaceData {
  readonly sums: RaceSums
  readonly ordered: Ordered | undefined
}

/**
 * The evidence of a live race, as a replay of its outcomes would have it: pairs or arms; by entities where every label
 * has one; per size of the truth for `wmape`; less what a covariate foretells where every label of an epoch has one.
 */
export function toEvidence({ design, spec }: StoredRace, data: RaceData): Evidence {
  const cap = toCap(spec.cap, data.sums)
  const evidence = design === 'paired' ? toPairedEvidence(spec, data) : toSplitEvidence(spec, data.sums)
  return cap === undefined ? evidence : { ...evidence, cap }
}

type Spec = StoredRace['spec']

function toPairedEvidence(spec: Spec, { ordered, sums }: RaceData): Evidence {
  if (ordered !== undefined) {
    return toOrderedEvidence(ordered, toReach(spec, sums.cap?.at) ?? Number.POSITIVE_INFINITY)
  }
  const { board, pairClusters, pairRatio } = sums
  const { discordant, dominance, paired } = board
  const { count: entities, labels } = pairClusters
  if (labels > 0 && labels === paired.count) {
    return { kind: 'paired-ratio', of: 'entities', discordant, ...toRatio(pairClusters) }
  }
  const repeats = labels === 0 ? {} : { repeats: { repeated: labels - entities, of: paired.count } }
  return spec.loss.kind === 'wmape'
    ? { kind: 'paired-ratio', of: 'labels', discordant, ...toRatio(pairRatio), ...repeats }
    : { kind: 'paired', moments: paired, discordant, dominance, ...repeats }
}

function toRatio(sums: CrossSums): { readonly terms: JointMoments; readonly dominance: number } {
  const terms = toTerms(sums)
  return { terms, dominance: toDominance(sums.far, toRatioM2(terms)) }
}

function toSplitEvidence({ loss }: Spec, sums: RaceSums): Evidence {
  const { board } = sums
  const [a, b] = board.arms
  const epochs = board.epochs.map(epoch => ({
    epoch,
    a: findArm(sums, epoch, a.variant),
    b: findArm(sums, epoch, b.variant),
  }))
  const labels = board.epochs.reduce((sum, epoch) => sum + epoch.a.count + epoch.b.count, 0)
  const inEntities = epochs.reduce((sum, { a, b }) => sum + (a?.clusters.labels ?? 0) + (b?.clusters.labels ?? 0), 0)
  if (inEntities > 0 && inEntities === labels) {
    const dominance = toArmsDominance(epochs.flatMap(({ a, b }) => [a?.clusters, b?.clusters]))
    return { kind: 'split-ratio', of: 'entities', epochs: epochs.map(toEntityEpoch), dominance }
  }
  if (loss.kind === 'wmape') {
    const dominance = toArmsDominance(epochs.flatMap(({ a, b }) => [a?.ratio, b?.ratio]))
    const joint = epochs.map(({ epoch, a, b }) => ({ ...epoch, a: toTerms(a?.ratio), b: toTerms(b?.ratio) }))
    return { kind: 'split-ratio', of: 'labels', epochs: joint, dominance }
  }
  const dominance = board.armsDominance
  if (epochs.some(isCovered)) return { kind: 'adjusted', epochs: epochs.map(toAdjustedEpoch), dominance }
  return { kind: 'split', epochs: board.epochs, dominance }
}

/** An epoch with what is known of its arms beside their losses. */
interface ArmedEpoch {
  readonly epoch: EpochArms
  readonly a: ArmSums | undefined
  readonly b: ArmSums | undefined
}

function findArm({ arms }: RaceSums, { epoch }: EpochArms, variant: number): ArmSums | undefined {
  return arms.find(one => one.epoch === epoch && one.variant === variant)
}

/**
 * An entity is one unit, so that none is repeated, and its events are one. The gateway does not know those that only
 * rows tell (`race.entity`): it draws each of their requests.
 */
function toEntityEpoch({ epoch, a, b }: ArmedEpoch): JointEpoch {
  const events = { eventsA: a?.clusters.events ?? 0, eventsB: b?.clusters.events ?? 0 }
  const isRepeated = [a, b].some(arm => arm !== undefined && arm.clusters.labels > arm.clusters.count)
  const redrawn = isRepeated && epoch.repeated === 0
  return { ...epoch, ...events, repeated: 0, redrawn, a: toTerms(a?.clusters), b: toTerms(b?.clusters) }
}

/** Whether every label of an epoch has a covariate. */
function isCovered({ epoch, a, b }: ArmedEpoch): boolean {
  const [ofA, ofB] = [a?.covariate.count ?? 0, b?.covariate.count ?? 0]
  return ofA + ofB > 0 && ofA === epoch.a.count && ofB === epoch.b.count
}

/** Without a covariate, one that foretells nothing: the plain difference. */
function toAdjustedEpoch(armed: ArmedEpoch): JointEpoch {
  const { epoch, a, b } = armed
  if (isCovered(armed)) return { ...epoch, a: toTerms(a?.covariate), b: toTerms(b?.covariate) }
  return { ...epoch, a: toPlainJoint(epoch.a), b: toPlainJoint(epoch.b) }
}

/** The database has x and y the other way round: what is summed comes after what it is summed by. */
function toTerms(sums: CrossSums | undefined): JointMoments {
  if (sums === undefined) return emptyJoint
  const { count, meanX, meanY, m2X, m2Y, xy } = sums
  return { count, meanX: meanY, meanY: meanX, m2X: m2Y, m2Y: m2X, xy }
}

function toArmsDominance(arms: readonly (CrossSums | undefined)[]): number {
  const far = Math.max(0, ...arms.map(arm => arm?.far ?? 0))
  return toDominance(
    far,
    arms.reduce((sum, arm) => sum + toRatioM2(toTerms(arm)), 0),
  )
}

function toCap(quantile: number | undefined, { board, cap }: RaceSums): CapProgress | undefined {
  if (quantile === undefined || cap === undefined) return undefined
  const judged = board.arms.reduce((sum, { loss }) => sum + loss.count, 0)
  const labels = cap.at === undefined ? cap.labels : CAP_LABELS
  return { quantile, cap: cap.at, labels, judged, capped: cap.capped }
}

/**
 * What each arm loses on average, as it is shown: of a loss per size of the truth, per that size. What a shadow loses
 * is told by the difference.
 */
export function toMeanLosses(
  { design, spec }: StoredRace,
  { arms, board, pairRatio }: RaceSums,
): readonly [number | undefined, number | undefined] {
  const means = board.arms.map(({ loss }) => (loss.count === 0 ? undefined : loss.mean))
  if (spec.loss.kind !== 'wmape') return [means[0], means[1]]
  const ratioOf = (variant: number): number | undefined => {
    const own = arms.filter(arm => arm.variant === variant).map(({ ratio }) => ratio)
    const size = own.reduce((sum, { count, meanX }) => sum + count * meanX, 0)
    return size > 0 ? own.reduce((sum, { count, meanY }) => sum + count * meanY, 0) / size : undefined
  }
  const [a, b] = board.arms
  const ofA = ratioOf(a.variant)
  if (design === 'split') return [ofA, ratioOf(b.variant)]
  const { meanX, meanY } = pairRatio
  return [ofA, ofA === undefined || meanX === 0 ? undefined : ofA - meanY / meanX]
}
