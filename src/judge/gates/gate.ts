import type { Estimate } from '../sequence/estimate.ts'
import { CAP_LABELS, type CapProgress } from '../sums/cap.ts'
import type { Gate } from '../verdict/race.ts'
import { toPercent } from '../verdict/words.ts'

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
export function toCapGate({ cap, labels }: CapProgress): Gate {
  return {
    name: 'cap',
    passed: cap !== undefined,
    detail: `${CAP_LABELS} labels of A to set the cap by wanted, ${labels} found`,
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

/** Labels of entities that had one before; 55 % false winners where they are many and taken for independent. */
export function toRepeatsGate({ repeated, of }: Repeats, what: string): Gate {
  return {
    name: 'entities',
    passed: repeated <= 0.05 * of,
    detail: `at most 5 % of the ${what} for an entity that had one before wanted, ${repeated} of ${of} found`,
  }
}

/** How many of some labels, or predictions, are for an entity that had one before. */
export interface Repeats {
  readonly repeated: number
  readonly of: number
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
