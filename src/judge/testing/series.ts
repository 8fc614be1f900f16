import { addToOrdered, toEmptyOrdered, toOrderedEvidence } from '../sequence/ordered.ts'
import type { Evidence } from '../verdict/evidence.ts'

/** The evidence of a whole series of differences in the order of the times that they are for. */
export function toDependentEvidence(differences: Iterable<number>, season = 1): Evidence {
  const empty = toEmptyOrdered({ task: 'forecast', loss: { kind: 'squared' }, season, strict: false })
  if (empty === undefined) throw new Error('A series has an order')
  let ordered = empty
  for (const loss of differences) ordered = addToOrdered(ordered, { loss, weight: 1 })
  return toOrderedEvidence(ordered, 0)
}
