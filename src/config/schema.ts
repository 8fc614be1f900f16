import { z } from 'zod'
import { isObject } from '../core/json.ts'
import { alerts } from './alerts-schema.ts'
import { image } from './image-schema.ts'
import { autoscale, kubernetes, resources } from './kubernetes-schema.ts'
import { race } from './race-schema.ts'
import { oneOf, section, text, whole } from './schema-parts.ts'

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
