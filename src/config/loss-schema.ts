import { isObject } from '../core/json.ts'
import type { Loss } from './project.ts'
import { text } from './schema-parts.ts'

const LOSS = /^(squared|absolute|wmape|log|brier|zero-one|value|pinball\((0?\.(?=\d*[1-9])\d{1,9})\))$/

/** Reads what the pattern of a loss let through. */
function toLoss(written: string): Loss {
  const quantile = LOSS.exec(written)?.[2]
  if (quantile !== undefined) return { kind: 'pinball', quantile: Number(quantile) }
  return { kind: written as Exclude<Loss['kind'], 'pinball'> }
}

/** How one outcome is scored. */
export const loss = text('squared, absolute, pinball(0.9), wmape, log, brier, zero-one or value', LOSS)
  .transform(toLoss)
  .optional()
  .meta({
    description: 'Loss of one outcome; default: squared, for classification log, for value value',
    examples: ['squared', 'pinball(0.9)'],
  })

/** Losses that fit each task, the default first. */
export const LOSSES_OF_TASK = {
  forecast: ['squared', 'absolute', 'pinball', 'wmape'],
  regression: ['squared', 'absolute', 'pinball', 'wmape'],
  classification: ['log', 'brier', 'zero-one'],
  value: ['value'],
} as const satisfies Record<string, readonly [Loss['kind'], ...Loss['kind'][]]>

/** The losses of a race's task; none where the task itself is a problem. */
export function lossesOf(race: unknown): readonly string[] {
  const task = isObject(race) ? race['task'] : undefined
  return Object.entries(LOSSES_OF_TASK).find(([name]) => name === task)?.[1] ?? []
}

/** Whether task and loss go together; true where either is a problem of its own. */
export function fitsTask(race: unknown): boolean {
  const losses = lossesOf(race)
  const loss = isObject(race) ? race['loss'] : undefined
  const kind = isObject(loss) ? loss['kind'] : undefined
  return losses.length === 0 || typeof kind !== 'string' || losses.includes(kind)
}

/** Whether exact bounds, where wanted, know the range of the losses; true where a key of them is a problem of its own. */
export function canBeStrict(race: unknown): boolean {
  if (!isObject(race) || race['strict'] !== true) return true
  const loss = race['loss']
  const kind = isObject(loss) ? loss['kind'] : lossesOf(race)[0]
  if (typeof kind !== 'string' || kind === 'wmape') return kind !== 'wmape'
  return BOUNDED_LOSSES.includes(kind) || race['cap'] !== undefined
}

const BOUNDED_LOSSES: readonly string[] = ['zero-one', 'brier', 'log'] satisfies readonly Loss['kind'][]
