import { oneOf, section, text } from './schema-parts.ts'

/** How somebody hears of what happens in a race. */
export const alerts = section({
  webhook: text(
    'the name of an environment variable, such as SLACK_WEBHOOK (the URL itself is a secret)',
    /^[A-Za-z_][A-Za-z0-9_]*$/,
    100,
  )
    .optional()
    .meta({
      description:
        'Environment variable of control that holds the URL told of verdicts, guardrails, drift, mismatches and replicas',
      examples: ['SLACK_WEBHOOK'],
    }),
  format: oneOf(['slack', 'cloudevents'])
    .default('slack')
    .meta({ description: 'Form of the messages: {"text"} as Slack takes it, or CloudEvents 1.0' }),
}).meta({ description: 'Who is told of what happens' })
