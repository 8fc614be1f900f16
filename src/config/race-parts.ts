import { z } from 'zod'
import { isObject } from '../core/json.ts'
import { section, text, whole } from './schema-parts.ts'

/*
 * Keys of `race` that say how a challenger is let in, watched and timed. What is written (`5%`, `1.5x`, `36h`) is
 * text with a unit, so that no number can be taken for another.
 */

const PERCENT = /^(\d{1,3}(?:\.\d{1,6})?)%$/
const FACTOR = /^(\d{1,3}(?:\.\d{1,6})?)x$/
const DURATION = /^(\d{1,9})(s|m|h|d)$/
const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const MAX_STEPS = 20

/** A share such as `5%`, read as a fraction between 0 and 1, both excluded. */
function share(wanted: string) {
  return text(wanted, PERCENT)
    .refine(written => toFraction(written) > 0 && toFraction(written) < 1, wanted)
    .transform(toFraction)
}

function toFraction(written: string): number {
  // 7 / 100 is the number that 0.07 is read as; 7 * 0.01 is not.
  return Number(PERCENT.exec(written)?.[1]) / 100
}

function toMs(written: string): number {
  const [, count, unit] = DURATION.exec(written) ?? []
  return Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]
}

/** How long truth may take. */
export const maturity = text('a duration such as 30m, 36h or 2d', DURATION)
  .transform(toMs)
  .prefault('0s')
  .meta({
    description: 'How long truth may take: only predictions of this age are judged; 0s: all with a truth',
    examples: ['36h'],
  })

/** How many of the requests are recorded. */
export const sample = share('a share above 0% and below 100%, such as 10%')
  .optional()
  .meta({
    description: 'Share of the requests that are recorded and judged, drawn by their ids; default: all',
    examples: ['10%'],
  })

/** The shares that a challenger is given one after the other. */
export const ramp = z
  .array(share('a share above 0% and below 100%, such as 5%'), 'a list of rising shares, such as [5%, 20%, 50%]')
  .max(MAX_STEPS, `at most ${MAX_STEPS} shares`)
  // Not "above": a step that is a problem of its own is no number yet.
  .refine(steps => !steps.some((step, at) => step <= (steps[at - 1] ?? 0)), {
    error: 'a list of rising shares, such as [5%, 20%, 50%]',
  })
  .default([])
  .meta({
    description: 'Shares of the requests that `regatta deploy --challenger NAME --ramp` gives one after the other',
    examples: [['5%', '20%', '50%']],
  })

/** Limits that a challenger must keep. */
export const guardrails = section({
  errorRate: share('a share above 0% and below 100%, such as 1%')
    .optional()
    .meta({
      description: "Share of failed requests above which a challenger is stopped, unless the champion's is as high",
      examples: ['1%'],
    }),
  p99: text('a factor of 1x or more, such as 1.5x', FACTOR)
    .transform(written => Number(written.slice(0, -1)))
    .refine(factor => factor >= 1, 'a factor of 1x or more, such as 1.5x')
    .optional()
    .meta({
      description: "Multiple of the champion's 99th percentile of latency above which a challenger is stopped",
      examples: ['1.5x'],
    }),
})
  .prefault({})
  .meta({ description: 'Limits that stop a challenger, whatever its losses are' })

/** What a race may cost. */
export const budget = section({
  labels: whole(1)
    .optional()
    .meta({ description: 'Labels after which a race ends undecided', examples: [20_000] }),
  days: z
    .number('a number above 0')
    .gt(0, 'a number above 0')
    .max(3650, 'at most 3650')
    .optional()
    .meta({ description: 'Days after which a race ends undecided', examples: [14] }),
})
  .prefault({})
  .meta({ description: 'What a race may cost: one that has spent it ends inconclusive' })

/** How many races share `alpha`. */
export const challengers = whole(1, 100).default(1).meta({
  description: 'Challengers at once that share alpha from the start; more than that share it from when they enter',
})

/** Whether a race has a limit that could stop a challenger. */
export function hasGuardrail(race: unknown): boolean {
  const limits = isObject(race) ? race['guardrails'] : undefined
  return isObject(limits) && (limits['errorRate'] !== undefined || limits['p99'] !== undefined)
}

/** Whether a race has steps of a ramp. */
export function hasRamp(race: unknown): boolean {
  const steps = isObject(race) ? race['ramp'] : undefined
  return Array.isArray(steps) && steps.length > 0
}
