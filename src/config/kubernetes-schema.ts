import { z } from 'zod'
import { isObject } from '../core/json.ts'
import { oneOf, section, text, whole } from './schema-parts.ts'

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const DNS_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/
const LABEL_KEY = /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/
const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/

/** Powers of the suffixes of a quantity. Source: k8s.io/apimachinery/pkg/api/resource, "Quantity". */
const SUFFIXES = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
} as const satisfies Record<string, number>

/** A quantity as a number, in cores or bytes; NaN for text that is none. */
export function parseQuantity(written: string): number {
  const match = /^(\d+(?:\.\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(written)
  if (match === null) return Number.NaN
  return Number(match[1]) * SUFFIXES[(match[2] ?? '') as keyof typeof SUFFIXES]
}

function quantity(wanted: string, pattern: RegExp) {
  return z
    .union([z.string(), z.number()], wanted)
    .transform(String)
    .refine(value => pattern.test(value) && parseQuantity(value) > 0, wanted)
}

const cpu = () => quantity('an amount of CPU such as 250m or 1.5', /^\d+(\.\d{1,3}|m)?$/)
const memory = () => quantity('an amount of memory such as 256Mi or 1Gi', /^\d+(\.\d+)?(k|M|G|T|Ki|Mi|Gi|Ti)?$/)

/** Names of resources whose limit is below what is requested. */
function listAbove(resources: unknown): readonly string[] {
  const { requests, limits } = isObject(resources) ? resources : {}
  if (!isObject(requests) || !isObject(limits)) return []
  return Object.keys(limits).filter(key => parseQuantity(String(limits[key])) < parseQuantity(String(requests[key])))
}

/** The key `serve.resources`. */
export const resources = section({
  requests: section({
    cpu: cpu().prefault('250m').meta({ description: 'Cores, or thousandths of one with m' }),
    memory: memory().prefault('256Mi').meta({ description: 'Bytes, with a suffix' }),
  })
    .prefault({})
    .meta({ description: 'What a replica is sure to get; the scheduler goes by it' }),
  limits: section({
    cpu: cpu().optional().meta({ description: 'Cores; default: no limit' }),
    memory: memory().prefault('512Mi').meta({ description: 'Bytes, with a suffix' }),
  })
    .prefault({})
    .meta({ description: 'What ends a replica (memory) or slows it down (cpu)' }),
})
  .refine(value => listAbove(value).length === 0, {
    when: ({ value }) => isObject(value),
    path: ['limits'],
    error: ({ input }) => `at least what is requested, of ${listAbove(input).join(' and ')}`,
  })
  .meta({ description: 'CPU and memory of a model server, on Kubernetes' })

/** The key `serve.autoscale`. */
export const autoscale = section({
  min: whole(1).meta({ description: 'Fewest replicas per variant; serve.replicas is this' }),
  max: whole(1).meta({ description: 'Most replicas per variant' }),
  cpu: text('a percentage of the requested CPU such as 70%', /^([1-9]\d?|[1-4]\d\d)%$/)
    .transform(share => Number(share.slice(0, -1)) / 100)
    .prefault('70%')
    .meta({ description: 'CPU in use, of what is requested, that replicas are added at', examples: ['70%'] }),
})
  .refine(({ min, max }) => min <= max, {
    when: ({ value }) => isObject(value),
    path: ['max'],
    error: 'at least min',
  })
  .meta({ description: 'Lets Kubernetes choose the number of replicas by their load' })

const storage = section({
  size: memory().prefault('1Gi').meta({ description: "Size of the volume for control's database" }),
  class: text('the name of a StorageClass', DNS_NAME)
    .optional()
    .meta({ description: "The volume's class; default: the cluster's" }),
  ephemeral: z.boolean('true or false').default(false).meta({
    description: 'No volume: predictions, truths and verdicts are lost with the pod of control; models and routes stay',
  }),
}).meta({ description: 'Where control keeps its database' })

const database = section({
  secret: text('the name of a Secret', DNS_NAME).meta({ description: 'Secret that holds the address' }),
  key: text('a key of a Secret', /^[A-Za-z0-9._-]+$/, 253)
    .default('url')
    .meta({ description: 'Key in it; its value is postgres://USER:PASSWORD@HOST:PORT/DATABASE' }),
}).meta({ description: "PostgreSQL for control's events: no volume, and more than one control" })

const toleration = section({
  key: text('the key of a taint', LABEL_KEY).optional(),
  operator: oneOf(['Exists', 'Equal']).default('Equal'),
  value: text('the value of a taint', LABEL_VALUE).optional(),
  effect: oneOf(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
})

const spread = section({
  topologyKey: text('the key of a label of nodes', LABEL_KEY),
  maxSkew: whole(1).default(1),
  whenUnsatisfiable: oneOf(['DoNotSchedule', 'ScheduleAnyway']).default('ScheduleAnyway'),
})

const overlay = section({
  kind: text('the kind of an object, such as Deployment', /^[A-Z][A-Za-z]+$/).meta({
    description: 'Kind of the objects that the patch is for',
  }),
  part: oneOf(['server', 'gateway', 'control']).optional().meta({ description: 'Only the objects of this part' }),
  patch: z
    .record(z.string(), z.json(), 'a mapping')
    .meta({ description: 'Laid over the object; lists whose items have names are merged by them, null removes' }),
})

/** The section `targets.kubernetes`. */
export const kubernetes = section({
  context: text('the name of a context of the kubeconfig', /\S/, 253)
    .optional()
    .meta({ description: 'Context of the kubeconfig; default: its current one' }),
  namespace: text('a DNS label: 1–63 of a–z, 0–9 and -', DNS_LABEL, 63)
    .optional()
    .meta({ description: "Namespace of every object; default: the context's" }),
  expose: oneOf(['LoadBalancer', 'NodePort', 'ClusterIP'])
    .default('LoadBalancer')
    .meta({ description: "Type of the gateway's Service" }),
  gateway: section({ replicas: whole(1, 100).default(2).meta({ description: 'Pods of the gateway' }) })
    .prefault({})
    .meta({ description: 'What clients talk to' }),
  control: section({
    replicas: whole(1, 10).optional().meta({
      description: 'Pods of control: one leads, the others wait; default: 2 with a database, else 1',
    }),
  })
    .prefault({})
    .meta({ description: 'What keeps records, judges and steers' }),
  database: database.optional(),
  storage: storage.prefault({}),
  priorityClass: text('the name of a PriorityClass', DNS_NAME).optional().meta({ description: 'Of every pod' }),
  nodeSelector: z
    .record(text('the key of a label', LABEL_KEY), text('the value of a label', LABEL_VALUE), 'a mapping of labels')
    .default({})
    .meta({ description: 'Labels of the nodes that pods may run on', examples: [{ 'kubernetes.io/arch': 'amd64' }] }),
  tolerations: z.array(toleration, 'a list').max(50, 'at most 50').default([]).meta({ description: 'Of every pod' }),
  topologySpread: z
    .array(spread, 'a list')
    .max(10, 'at most 10')
    .default([{ topologyKey: 'kubernetes.io/hostname', maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway' }])
    .meta({ description: 'How replicas are spread over the cluster' }),
  imagePullSecrets: z
    .array(text('the name of a Secret', DNS_NAME), 'a list of names')
    .max(20, 'at most 20')
    .default([])
    .meta({ description: 'Secrets that images are pulled with' }),
  env: z
    .record(
      text('the name of a variable', /^[A-Za-z_][A-Za-z0-9_]*$/),
      text('text', /^[^\0]*$/, 32_768),
      'a mapping of names to text',
    )
    .default({})
    .meta({ description: 'Environment of the model servers; no place for secrets', examples: [{ TZ: 'UTC' }] }),
  overlay: z
    .array(overlay, 'a list')
    .max(50, 'at most 50')
    .default([])
    .meta({ description: 'Laid over the objects last, for what no other key says' }),
})
  .refine(value => !isManyOnOneFile(value), {
    when: ({ value }) => isObject(value),
    path: ['control', 'replicas'],
    error: '1 without a database, since they would share one file',
  })
  .meta({ description: 'Objects in one namespace of a Kubernetes cluster' })

function isManyOnOneFile({ control, database }: Readonly<Record<string, unknown>>): boolean {
  return database === undefined && isObject(control) && Number(control['replicas'] ?? 1) > 1
}
