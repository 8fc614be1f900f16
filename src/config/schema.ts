import { compile, isRegistered } from '@jmespath-community/jmespath'
import { z } from 'zod'
import { parseVariantName } from '../core/brands.ts'
import { toErrorText } from '../core/errors.ts'
import { isObject } from '../core/json.ts'
import { alerts } from './alerts-schema.ts'
import { image } from './image-schema.ts'
import { autoscale, kubernetes, resources } from './kubernetes-schema.ts'
import { drop, hash, keepsTruth, log } from './log-schema.ts'
import type { Loss } from './project.ts'
import { budget, challengers, guardrails, hasGuardrail, hasRamp, maturity, ramp, sample } from './race-parts.ts'
import { oneOf, section, text, whole } from './schema-parts.ts'

const MAX_EXPRESSION = 1000

/** A JMESPath expression whose syntax and functions are known (jmespath.site). */
const expression = () =>
  z.string('a JMESPath expression').check(context => {
    const problem = toExpressionProblem(context.value)
    if (problem === undefined) return
    const message = `a JMESPath expression (${problem})`
    context.issues.push({ code: 'custom', message, input: context.value })
  })

function toExpressionProblem(expression: string): string | undefined {
  if (expression.length > MAX_EXPRESSION) return `at most ${MAX_EXPRESSION} characters`
  try {
    const unknown = listFunctions(compile(expression)).find(name => !isRegistered(name))
    return unknown === undefined ? undefined : `there is no function ${unknown}()`
  } catch (error) {
    return toErrorText(error)
  }
}

function listFunctions(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(listFunctions)
  if (!isObject(node)) return []
  const own = node['type'] === 'Function' && typeof node['name'] === 'string' ? [node['name']] : []
  return [...own, ...Object.values(node).flatMap(listFunctions)]
}

const LOSS = /^(squared|absolute|wmape|log|brier|zero-one|value|pinball\((0?\.(?=\d*[1-9])\d{1,9})\))$/

/** Reads what the pattern of a loss let through. */
function toLoss(written: string): Loss {
  const quantile = LOSS.exec(written)?.[2]
  if (quantile !== undefined) return { kind: 'pinball', quantile: Number(quantile) }
  return { kind: written as Exclude<Loss['kind'], 'pinball'> }
}

/** Losses that fit each task, the default first. */
export const LOSSES_OF_TASK = {
  forecast: ['squared', 'absolute', 'pinball', 'wmape'],
  regression: ['squared', 'absolute', 'pinball', 'wmape'],
  classification: ['log', 'brier', 'zero-one'],
  value: ['value'],
} as const satisfies Record<string, readonly [Loss['kind'], ...Loss['kind'][]]>

/** The losses of a race's task; none where the task itself is a problem. */
function lossesOf(race: unknown): readonly string[] {
  const task = isObject(race) ? race['task'] : undefined
  return Object.entries(LOSSES_OF_TASK).find(([name]) => name === task)?.[1] ?? []
}

/** Whether task and loss go together; true where either is a problem of its own. */
function fitsTask(race: unknown): boolean {
  const losses = lossesOf(race)
  const loss = isObject(race) ? race['loss'] : undefined
  const kind = isObject(loss) ? loss['kind'] : undefined
  return losses.length === 0 || typeof kind !== 'string' || losses.includes(kind)
}

/** Whether exact bounds, where wanted, know the range of the losses; true where a key of them is a problem of its own. */
function canBeStrict(race: unknown): boolean {
  if (!isObject(race) || race['strict'] !== true) return true
  const loss = race['loss']
  const kind = isObject(loss) ? loss['kind'] : lossesOf(race)[0]
  if (typeof kind !== 'string' || kind === 'wmape') return kind !== 'wmape'
  return BOUNDED_LOSSES.includes(kind) || race['cap'] !== undefined
}

const BOUNDED_LOSSES: readonly string[] = ['zero-one', 'brier', 'log'] satisfies readonly Loss['kind'][]

const param = z.union([z.string(), z.number(), z.boolean()], 'text, a finite number, true or false')

const train = section({
  run: text('a command line', /\S/, 100_000).meta({
    description: "Command that trains the model; run by /bin/sh -c in the project's folder",
    examples: ['node train.ts', 'python train.py'],
  }),
  params: z
    .record(z.string(), param, 'a mapping of names to values')
    .default({})
    .meta({
      description: 'Parameters, passed as JSON in REGATTA_PARAMS; `regatta train --set` overrides them',
      examples: [{ hidden: 100, learning_rate: 0.001 }],
    }),
  data: z
    .array(text('the path of a file, or a pattern', /\S/), 'a list of paths')
    .max(1000, 'at most 1000 paths')
    .default([])
    .meta({
      description: 'Files whose digests go into the run record; patterns with * are allowed',
      examples: [['data/series.csv']],
    }),
  output: text('a folder inside the project, such as model', /^(?!\/)(?!(.*\/)?\.\.?(\/|$))[^\0]+$/)
    .default('model')
    .meta({ description: 'Folder that the command leaves model.onnx in, unless it writes to REGATTA_OUTPUT' }),
}).meta({ description: 'How a model is trained' })

/** Scheme, host and port, as a browser sends them; `route` reads them strictly. */
const ORIGIN = /^(\*|https?:\/\/[a-z0-9.-]+(:\d{1,5})?|https?:\/\/\[[0-9a-f:.]+\](:\d{1,5})?)$/

const serve = section({
  replicas: whole(1).optional().meta({ description: 'Model servers per variant; default 1, or autoscale.min' }),
  access: oneOf(['open', 'token'])
    .default('open')
    .meta({ description: 'Who may ask for predictions: whoever reaches the gateway, or bearers of a predict token' }),
  cors: z
    .array(text('an origin such as https://app.example, or *', ORIGIN), 'a list of origins')
    .max(100, 'at most 100 origins')
    .default([])
    .meta({
      description: 'Origins of web pages whose scripts may ask for predictions; * is any',
      examples: [['https://app.example']],
    }),
  alerts: alerts.prefault({}),
  resources: resources.prefault({}),
  autoscale: autoscale.optional(),
})
  .refine(({ replicas, autoscale }) => replicas === undefined || (autoscale?.min ?? replicas) === replicas, {
    when: ({ value }) => isObject(value),
    path: ['replicas'],
    error: 'nothing here, or the same as autoscale.min',
  })
  .meta({ description: 'How a variant is served' })

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

const race = section({
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
  loss: text('squared, absolute, pinball(0.9), wmape, log, brier, zero-one or value', LOSS)
    .transform(toLoss)
    .optional()
    .meta({
      description: 'Loss of one outcome; default: squared, for classification log, for value value',
      examples: ['squared', 'pinball(0.9)'],
    }),
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

const port = (usual: number, of: string) =>
  whole(0, 65_535)
    .default(usual)
    .meta({ description: `Port of ${of}; 0 takes a free one` })

const local = section({
  host: text('a host name or an IP address', /^[A-Za-z0-9.:_-]+$/, 253)
    .default('127.0.0.1')
    .meta({ description: 'Address that the gateway and control listen on' }),
  httpPort: port(8501, 'the gateway, HTTP'),
  grpcPort: port(8500, 'the gateway, gRPC'),
  controlPort: port(8400, 'control'),
  tls: section({
    cert: text('the path of a PEM file', /\S/).meta({ description: 'Certificate, and those between it and the root' }),
    key: text('the path of a PEM file', /\S/).meta({ description: 'Its private key' }),
    clientCa: text('the path of a PEM file', /\S/).optional().meta({
      description:
        'Authority that signs the certificates of clients: then only those are answered; by default clients need none',
    }),
  })
    .optional()
    .meta({ description: 'Has the gateway speak TLS on both ports; default: it does not' }),
})
  .refine(({ httpPort, grpcPort }) => httpPort !== grpcPort || httpPort === 0, {
    when: ({ value }) => isObject(value),
    path: ['grpcPort'],
    error: 'another port than httpPort',
  })
  .refine(({ httpPort, grpcPort, controlPort }) => controlPort === 0 || ![httpPort, grpcPort].includes(controlPort), {
    when: ({ value }) => isObject(value),
    path: ['controlPort'],
    error: 'another port than httpPort and grpcPort',
  })
  .meta({ description: 'Processes on this machine' })

/** What regatta.yaml may hold. */
export const projectSchema = section({
  name: text(
    'a DNS label: 1–63 of a–z, 0–9 and -, first a letter, last not -',
    /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
  ).meta({
    description: 'Names the model, the deployment and every object',
    examples: ['forecast'],
  }),
  train: train.optional(),
  image: image.prefault({}),
  serve: serve.prefault({}),
  race: race.prefault({}),
  targets: section({ local: local.prefault({}), kubernetes: kubernetes.prefault({}) })
    .prefault({})
    .meta({ description: 'Where a deployment runs' }),
}).meta({ title: 'regatta.yaml' })

/** A checked regatta.yaml. */
export type ProjectInput = z.output<typeof projectSchema>
