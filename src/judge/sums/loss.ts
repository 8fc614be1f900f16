import type { PredictedValue } from '../../core/wire/records.ts'

/** How one prediction is scored against its truth. */
export type LossSpec =
  | { readonly kind: 'squared' | 'absolute' | 'log' | 'brier' | 'zero-one' | 'wmape' | 'value' }
  | { readonly kind: 'pinball'; readonly quantile: number }

/** An outcome's share in a race. The race is about Σ loss / Σ weight, which is the mean loss where every weight is 1. */
export interface LossTerms {
  readonly loss: number
  /** |truth| for `wmape`, else 1. */
  readonly weight: number
}

/** Probabilities are kept this far from 0 and 1, so that one sure mistake costs 13.8 and not infinity. */
const CLIP = 1e-6
/** A larger loss, or size of a truth, could not be squared and summed. */
const MAX_LOSS = 1e140

/**
 * The loss of one prediction (lower is better), in units of the loss; undefined where it cannot be computed: the
 * prediction or the truth is of the wrong kind, the lengths differ, or the loss is too large to be squared.
 *
 * - `squared`, `absolute`, `pinball`: of numbers; of two lists of equal length, the mean over them.
 * - `log`, `brier`: of the probability of class 1 and a truth of 0 or 1, or of a list with a probability per class and
 *   the class's index. A list's Brier loss is half the sum of squares (Brier 1950 takes the whole), so that two
 *   classes give what one probability gives.
 * - `zero-one`: 0 where the predicted class is the true one. A number between 0 and 1 is the probability of class 1,
 *   a list has a probability per class.
 * - `wmape`: the absolute error; its share of the truth's size is for `toLossTerms`.
 * - `value`: what the answer was worth, turned round; the prediction does not matter.
 */
export function toLoss(spec: LossSpec, prediction: PredictedValue, truth: PredictedValue): number | undefined {
  const loss = toRawLoss(spec, toScalar(prediction), toScalar(truth))
  return loss !== undefined && Math.abs(loss) <= MAX_LOSS ? loss : undefined
}

/** The loss of one prediction together with its weight; undefined where `toLoss` is. */
export function toLossTerms(spec: LossSpec, prediction: PredictedValue, truth: PredictedValue): LossTerms | undefined {
  const loss = toLoss(spec, prediction, truth)
  if (loss === undefined) return undefined
  if (spec.kind !== 'wmape') return { loss, weight: 1 }
  const weight = toSize(truth)
  return weight === undefined ? undefined : { loss, weight }
}

/** The size of a truth: of a number its absolute value, of a list the mean of theirs; undefined of any other. */
export function toSize(truth: PredictedValue): number | undefined {
  const list = toList(truth) ?? []
  const size = list.reduce((sum, y) => sum + Math.abs(y), 0) / list.length
  return size <= MAX_LOSS ? size : undefined
}

/**
 * The range that a loss cannot leave, or undefined where it has none. A list's Brier loss is halved and a logarithm is
 * clipped, so that both have one.
 */
export function toLossRange({ kind }: LossSpec): LossRange | undefined {
  switch (kind) {
    case 'zero-one':
    case 'brier':
      return { low: 0, high: 1 }
    case 'log':
      return { low: 0, high: -Math.log(CLIP) }
    default:
      return undefined
  }
}

/** Both ends belong to it. */
export interface LossRange {
  readonly low: number
  readonly high: number
}

function toRawLoss(spec: LossSpec, prediction: PredictedValue, truth: PredictedValue): number | undefined {
  switch (spec.kind) {
    case 'squared':
      return toMeanLoss(prediction, truth, error => error * error)
    case 'absolute':
    case 'wmape':
      return toMeanLoss(prediction, truth, Math.abs)
    case 'pinball':
      return toMeanLoss(prediction, truth, error => (error >= 0 ? spec.quantile * error : (spec.quantile - 1) * error))
    case 'log':
      return toLogLoss(toProbabilities(prediction), toNumber(truth))
    case 'brier':
      return toBrierLoss(toProbabilities(prediction), toNumber(truth))
    case 'zero-one':
      return toZeroOneLoss(prediction, truth)
    case 'value': {
      const value = toNumber(truth)
      return value === undefined ? undefined : 0 - value
    }
    default:
      return spec satisfies never
  }
}

/** A model that answers one number often answers a list of one. */
function toScalar(value: PredictedValue): PredictedValue {
  return Array.isArray(value) && value.length === 1 ? (value[0] ?? value) : value
}

function toNumber(value: PredictedValue): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0
  return typeof value === 'number' ? value : undefined
}

/** The mean of a loss of truth − prediction. */
function toMeanLoss(
  prediction: PredictedValue,
  truth: PredictedValue,
  toOne: (error: number) => number,
): number | undefined {
  const predicted = toList(prediction)
  const happened = toList(truth)
  if (predicted === undefined || happened === undefined) return undefined
  if (predicted.length === 0 || predicted.length !== happened.length) return undefined
  const sum = predicted.reduce((total, y, at) => total + toOne((happened[at] ?? Number.NaN) - y), 0)
  return sum / predicted.length
}

function toList(value: PredictedValue): readonly number[] | undefined {
  if (typeof value === 'number') return [value]
  return typeof value === 'object' ? value : undefined
}

/** A probability per class. */
function toProbabilities(value: PredictedValue): readonly number[] | undefined {
  const list = typeof value === 'number' ? [1 - value, value] : typeof value === 'object' ? value : undefined
  return list !== undefined && list.length >= 2 && list.every(p => p >= -CLIP && p <= 1 + CLIP) ? list : undefined
}

function toLogLoss(probabilities: readonly number[] | undefined, label: number | undefined): number | undefined {
  const p = probabilities?.[label ?? -1]
  return p === undefined ? undefined : -Math.log(Math.min(1 - CLIP, Math.max(CLIP, p)))
}

function toBrierLoss(probabilities: readonly number[] | undefined, label: number | undefined): number | undefined {
  if (probabilities?.[label ?? -1] === undefined) return undefined
  return probabilities.reduce((sum, p, at) => sum + (p - (at === label ? 1 : 0)) ** 2, 0) / 2
}

function toZeroOneLoss(prediction: PredictedValue, truth: PredictedValue): number | undefined {
  if (typeof truth === 'object') return undefined
  const predicted = toClass(prediction)
  if (typeof predicted === 'string' || typeof truth === 'string') {
    return typeof predicted === typeof truth ? Number(predicted !== truth) : undefined
  }
  return predicted === undefined ? undefined : Number(predicted !== toNumber(truth))
}

function toClass(prediction: PredictedValue): string | number | undefined {
  if (typeof prediction === 'string') return prediction
  if (typeof prediction === 'object')
    return prediction.length < 2 ? undefined : prediction.indexOf(Math.max(...prediction))
  const value = toNumber(prediction)
  return value !== undefined && value > 0 && value < 1 ? Number(value >= 0.5) : value
}
