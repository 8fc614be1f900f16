import { z } from 'zod'
import { parseVariantName } from '../core/brands.ts'
import { isObject } from '../core/json.ts'
import { expression } from './expression-schema.ts'
import { drop, hash, keepsTruth, log } from './log-schema.ts'
import { canBeStrict, fitsTask, loss, lossesOf } from './loss-schema.ts'
import { budget, challengers, guardrails, hasGuardrail, hasRamp, maturity, ramp, sample } from './race-parts.ts'
import { oneOf, section, text, whole } from './schema-parts.ts'

const truth = section({
  by: oneOf(['prediction', 'series'])
    .default('prediction')
    .meta({ description: 'What truth names: the id of a prediction, or a series and a time' }),
  series: expression().optional().meta({ description: 'Path from a request row to its series (by: series)' }),
  at: expression().optional().meta({ description: 'Path from a request row to its time (by: series)' }),
})
  .refine(({ by, series }) => by === 'series' || series === undefined, {
    when: ({ value }) => isObject(value),
    path: ['series'],
    error: 'nothing here unless by is series',
  })
  .refine(({ by, at }) => by === 'series' || at === undefined, {
    when: ({ value }) => isObject(value),
    path: ['at'],
    error: 'nothing here unless by is series',
  })
  .meta({ description: 'How truth finds its prediction' })

/** What is compared and how. */
export const race = section({
  task: oneOf(['forecast', 'regression', 'classification', 'value'])
    .default('regression')
    .meta({ description: 'What the model predicts' }),
  prediction: expression()
    .optional()
    .meta({ description: 'Path into one row of the output; default: the row itself', examples: ['[-1][0]'] }),
  truth: truth.prefault({}),
  champion: text('1–40 of a–z, 0–9 and -, first a letter, last not -', /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/)
    .transform(parseVariantName)
    .optional()
    .meta({ description: 'Variant that is the first champion; default: the first deployed', examples: ['a'] }),
  loss,
  mode: oneOf(['shadow', 'split'])
    .optional()
    .meta({ description: 'Whether a challenger sees copies or answers a share; default: shadow, for value split' }),
  alpha: z
    .number('a number above 0 and below 1')
    .gt(0, 'a number above 0 and below 1')
    .lt(1, 'a number above 0 and below 1')
    .default(0.05)
    .meta({ description: 'Probability of a wrong verdict that you accept' }),
  tOpt: whole(1).default(1000).meta({ description: 'Labels at which the confidence sequence is tightest' }),
  minGain: z
    .number('a number of 0 or more')
    .min(0, 'a number of 0 or more')
    .default(0)
    .meta({ description: 'Smallest improvement of the mean loss worth a promotion' }),
  margin: z
    .number('a number of 0 or more')
    .min(0, 'a number of 0 or more')
    .default(0)
    .meta({ description: 'Half-width of "equivalent" in units of the loss; 0: never' }),
  season: whole(1)
    .default(1)
    .meta({ description: 'Rows of one season (task: forecast)', examples: [24] }),
  strict: z.boolean('true or false').default(false).meta({
    description: 'Exact bounds, valid for any number of labels; wants pairs, and losses with a range or a cap',
  }),
  cap: z
    .number('a number above 0 and below 1')
    .gt(0, 'a number above 0 and below 1')
    .lt(1, 'a number above 0 and below 1')
    .optional()
    .meta({
      description: "Quantile of the champion's first 500 losses that all losses are capped at; those 500 do not count",
      examples: [0.95],
    }),
  entity: expression()
    .optional()
    .meta({
      description: 'Path from a request row to whom it is for; labels of one entity are judged as one unit',
      examples: ['customer.id'],
    }),
  covariate: expression()
    .optional()
    .meta({
      description: 'Path from a request row to a number that foretells its loss, whichever variant answers (split)',
      examples: ['features.last_week_error'],
    }),
  sample,
  log,
  drop,
  hash,
  maturity,
  challengers,
  ramp,
  guardrails,
  budget,
  promote: oneOf(['ask', 'auto'])
    .default('ask')
    .meta({ description: 'Whether a better challenger waits for `regatta promote` or is promoted at once' }),
})
  .refine(fitsTask, {
    when: ({ value }) => isObject(value),
    path: ['loss'],
    error: ({ input }) => `a loss that fits the task: ${lossesOf(input).join(', ')}`,
  })
  .refine(race => !hasRamp(race) || hasGuardrail(race), {
    when: ({ value }) => isObject(value),
    path: ['ramp'],
    error: 'guardrails, such as { errorRate: 1% }, beside a ramp',
  })
  .refine(race => !hasRamp(race) || race.mode !== 'shadow', {
    when: ({ value }) => isObject(value),
    path: ['mode'],
    error: 'split beside a ramp',
  })
  .refine(({ task, season }) => task === 'forecast' || season === 1, {
    path: ['season'],
    error: '1 unless task is forecast',
  })
  .refine(canBeStrict, {
    when: ({ value }) => isObject(value),
    path: ['strict'],
    error: 'false unless loss is zero-one, brier or log, or another but wmape with a cap',
  })
  .refine(({ strict, mode, task }) => !strict || (mode ?? (task === 'value' ? 'split' : 'shadow')) === 'shadow', {
    path: ['strict'],
    error: 'false unless mode is shadow',
  })
  .refine(keepsTruth, {
    when: ({ value }) => isObject(value),
    path: ['drop'],
    error: 'neither series nor at where truth is by series',
  })
  .meta({ description: 'What is compared and how' })
