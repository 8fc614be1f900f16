import { CAP_LABELS, type CapState } from './cap.ts'
import type { Estimate } from './estimate.ts'
import type { Gate } from './race.ts'
import { toPercent } from './words.ts'

/** Passes from a number of something on. */
export function toCountGate(name: string, found: number, wanted: number): Gate {
  return { name, passed: found >= wanted, detail: `${wanted} ${name} wanted, ${found} found` }
}

/** Passes unless one label makes up a fifth of the spread: the mean is then that label's. */
export function toDominanceGate(dominance: number): Gate {
  const found = `${toPercent(dominance)} found`
  return {
    name: 'dominance',
    passed: dominance < 0.2,
    detail: `less than 20 % of the spread from one label wanted, ${found}`,
  }
}

/** Passes once the cap is set. */
export function toCapGate({ cap, sizes }: CapState): Gate {
  const found = cap === undefined ? sizes.length : CAP_LABELS
  return {
    name: 'cap',
    passed: cap !== undefined,
    detail: `${CAP_LABELS} labels of A to set the cap by wanted, ${found} found`,
  }
}

/** Fails: sums tell nothing of how the losses of a series depend on each other. */
export const orderGate: Gate = {
  name: 'order',
  passed: false,
  detail: 'pairs in the order of time (a shadow) wanted, because losses of a series depend on each other, sums found',
}

/** Fails: there is no exact sequence for two arms with different labels. */
export const strictGate: Gate = {
  name: 'strict',
  passed: false,
  detail: 'pairs (a shadow) wanted for exact bounds, other labels in each arm found',
}

/** Fails where a sum has overflowed, or a ratio has nothing below its line. */
export function toFiniteGate({ estimate, se }: Estimate): Gate {
  const passed = Number.isFinite(estimate) && Number.isFinite(se)
  return {
    name: 'finite sums',
    passed,
    detail: `finite sums wanted, ${passed ? 'found' : 'a loss too large to be squared, or truths that are all zero, found'}`,
  }
}
