/**
 * The cap of a race's losses: a quantile, fixed before the race, of the first losses of A that are not zero. The labels
 * that set it are not judged. A cap changes what is compared, so that the share of capped losses has to be shown.
 */
export interface CapState {
  /** The quantile, above 0 and below 1. */
  readonly quantile: number
  /** Sizes of A's losses while they set the cap. */
  readonly sizes: readonly number[]
  /** Losses are kept between −cap and cap; undefined while it is not set. */
  readonly cap: number | undefined
  /** Losses that were judged, and those of them that are at the cap. */
  readonly judged: number
  readonly capped: number
}

/** How far the cap of a race is, for those who read it. */
export interface CapProgress extends Pick<CapState, 'quantile' | 'cap' | 'judged' | 'capped'> {
  /** Labels of A that are there to set it. */
  readonly labels: number
}

/** Tells how far a cap is. */
export function toCapProgress({ quantile, sizes, cap, judged, capped }: CapState): CapProgress {
  return { quantile, cap, judged, capped, labels: cap === undefined ? sizes.length : CAP_LABELS }
}

/** Labels of A that set the cap. */
export const CAP_LABELS = 500

/** The state before the first label. */
export function emptyCap(quantile: number): CapState {
  return { quantile, sizes: [], cap: undefined, judged: 0, capped: 0 }
}

/** Takes one of the labels of A that set the cap. Where they are all zero there is nothing to cap. */
export function addToCap(state: CapState, lossA: number): CapState {
  const sizes = [...state.sizes, Math.abs(lossA)]
  if (sizes.length < CAP_LABELS) return { ...state, sizes }
  const events = sizes.filter(size => size !== 0).sort((a, b) => a - b)
  const cap = events.length === 0 ? Number.MAX_VALUE : toQuantile(events, state.quantile)
  return { ...state, sizes: [], cap }
}

/** A judged loss within the cap, and the state that counts it. */
export function applyCap(state: CapState, loss: number): { readonly loss: number; readonly state: CapState } {
  const { cap = Number.MAX_VALUE } = state
  const kept = toCapped(loss, cap)
  const counted = { ...state, judged: state.judged + 1, capped: state.capped + Number(isAtCap(kept, cap)) }
  return { loss: kept, state: counted }
}

/** A loss within a cap. */
export function toCapped(loss: number, cap: number): number {
  return Math.min(cap, Math.max(-cap, loss))
}

/** Whether a capped loss is at the cap. */
export function isAtCap(loss: number, cap: number): boolean {
  return Math.abs(loss) >= cap
}

/**
 * A quantile of sorted numbers, linear between neighbours.
 *
 * Source: Hyndman, Fan 1996, "Sample quantiles in statistical packages", Amer. Statist. 50(4), definition 7.
 */
function toQuantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(at)] ?? 0, sorted[Math.ceil(at)] ?? 0]
  return low + (high - low) * (at - Math.floor(at))
}
