import { type Digest, parseDigest, parseVariantName, type VariantName } from '../brands.ts'
import { toChecks } from './checks.ts'

/**
 * What a gateway needs to route: one document, written by control, kept as the target's record
 * (`.regatta/local/routes.json`) and streamed to the gateways.
 */
export interface Routes {
  readonly schema: 'regatta/routes/v1'
  /** The deployment's name (`name` of regatta.yaml), which is the model's name in the URL too. */
  readonly deployment: string
  /** Grows by one whenever variants, digests, modes or weights change; not when a replica comes or goes. */
  readonly epoch: number
  readonly variants: readonly RouteVariant[]
  /** What the gateway takes out of requests and answers for the records. */
  readonly capture: Capture
  /** Who asked for them, and why: in the record of a first deployment that control has not taken up yet. */
  readonly cause?: RoutesCause
}

/** Who asked for routes, as they call themselves, and why: empty where they gave no reason. */
export interface RoutesCause {
  readonly by: string
  readonly reason: string
}

/** One variant as the gateway sees it. */
export interface RouteVariant {
  /** Unique among all variants that ever were in this deployment: a redeployed name gets a new id. */
  readonly id: number
  readonly name: VariantName
  /** The model's version, and the digest of its image. */
  readonly version: number
  readonly digest: Digest
  readonly role: Role
  /** Share of the served requests, 0–1; the weights of a deployment sum to 1. Shadows and standbys have 0. */
  readonly weight: number
  readonly replicas: readonly RouteReplica[]
}

/**
 * What a variant is for: `champion` answers; `split` is a challenger that answers its share; `shadow` is a
 * challenger that sees copies; `standby` is a former champion kept running for a rollback, without traffic.
 */
export type Role = 'champion' | 'split' | 'shadow' | 'standby'

/** One ready replica. */
export interface RouteReplica {
  /** Unique within the deployment, such as `a-1`. */
  readonly name: string
  /** Base URL of its HTTP port, such as `http://127.0.0.1:40123`. */
  readonly url: string
  /** The same of its gRPC port; absent where it serves HTTP alone. */
  readonly grpcUrl?: string
}

/** What is recorded of each prediction; JMESPath expressions apply to one row of the batch. */
export interface Capture {
  /** Path from one row of the output to the predicted value; absent: the row itself. */
  readonly prediction?: string
  /** Paths from one row of the request to the series, the time and the entity, where the headers are not sent. */
  readonly series?: string
  readonly at?: string
  readonly entity?: string
  /** Path from one row of the request to a number that foretells the loss. */
  readonly covariate?: string
  /** Share of the requests that are recorded, 0–1 (`isSampled`); absent: all. */
  readonly sample?: number
  /** Whether rows of answers, or of requests too, go into the records as they are; absent: neither. */
  readonly log?: Logged
}

/** What of requests and answers is logged. */
export type Logged = 'outputs' | 'inputs'

const check = toChecks('ROUTES', 'routes')
const ROLES = ['champion', 'split', 'shadow', 'standby'] as const satisfies readonly Role[]
/** Weights are written as decimals: their sum may miss 1 by rounding. */
const WEIGHT_TOLERANCE = 1e-6

/**
 * Reads a document of routes. Checks, beside the types, what routing relies on: no variants, or exactly one
 * champion; unique variant ids, variant names and replica names; weights that sum to 1 and lie on champion and splits alone.
 * @throws ROUTES, VARIANT_NAME, DIGEST
 */
export function parseRoutes(value: unknown): Routes {
  const fields = check.object(value, 'routes', ['schema', 'deployment', 'epoch', 'variants', 'capture', 'cause'])
  const variants = check
    .array(fields['variants'], 'variants')
    .map((item, index) => parseVariant(item, `variants[${index}]`))
  checkVariants(variants)
  return {
    schema: check.oneOf(fields['schema'], 'schema', ['regatta/routes/v1']),
    deployment: check.string(fields['deployment'], 'deployment'),
    epoch: check.integer(fields['epoch'], 'epoch', 0),
    variants,
    capture: parseCapture(fields['capture']),
    ...(fields['cause'] !== undefined && { cause: parseCause(fields['cause']) }),
  }
}

function parseCause(value: unknown): RoutesCause {
  const fields = check.object(value, 'cause', ['by', 'reason'])
  return { by: check.string(fields['by'], 'cause.by'), reason: check.string(fields['reason'], 'cause.reason') }
}

function parseVariant(value: unknown, path: string): RouteVariant {
  const fields = check.object(value, path, ['id', 'name', 'version', 'digest', 'role', 'weight', 'replicas'])
  return {
    id: check.integer(fields['id'], `${path}.id`, 0),
    name: parseVariantName(check.string(fields['name'], `${path}.name`)),
    version: check.integer(fields['version'], `${path}.version`, 0),
    digest: parseDigest(check.string(fields['digest'], `${path}.digest`)),
    role: check.oneOf(fields['role'], `${path}.role`, ROLES),
    weight: check.number(fields['weight'], `${path}.weight`, 0, 1),
    replicas: check
      .array(fields['replicas'], `${path}.replicas`)
      .map((item, index) => parseReplica(item, `${path}.replicas[${index}]`)),
  }
}

function parseReplica(value: unknown, path: string): RouteReplica {
  const fields = check.object(value, path, ['name', 'url', 'grpcUrl'])
  const { grpcUrl } = fields
  return {
    name: check.string(fields['name'], `${path}.name`),
    url: parseUrl(fields['url'], `${path}.url`),
    ...(grpcUrl === undefined ? {} : { grpcUrl: parseUrl(grpcUrl, `${path}.grpcUrl`) }),
  }
}

function parseUrl(value: unknown, path: string): string {
  const url = check.string(value, path)
  return url.startsWith('http://') && URL.canParse(url) ? url : check.fail(path, 'an http:// URL', url)
}

function parseCapture(value: unknown): Capture {
  const fields = check.object(value, 'capture', ['prediction', 'series', 'at', 'entity', 'covariate', 'log', 'sample'])
  const { log, sample, ...paths } = fields
  const known = Object.entries(paths).filter(([, path]) => path !== undefined)
  return {
    ...Object.fromEntries(known.map(([key, path]) => [key, check.string(path, `capture.${key}`)])),
    ...(sample !== undefined && { sample: check.number(sample, 'capture.sample', 0, 1) }),
    ...(log !== undefined && { log: check.oneOf(log, 'capture.log', ['outputs', 'inputs']) }),
  }
}

function checkVariants(variants: readonly RouteVariant[]): void {
  if (variants.length === 0) return
  checkUnique(
    variants.map(variant => variant.id),
    'the variants’ ids',
  )
  checkUnique(
    variants.map(variant => variant.name),
    'the variants’ names',
  )
  checkUnique(
    variants.flatMap(variant => variant.replicas.map(replica => replica.name)),
    'the replicas’ names',
  )
  const champions = variants.filter(variant => variant.role === 'champion').length
  if (champions !== 1) check.fail('variants', 'exactly one champion', champions)
  const idle = variants.find(variant => (variant.role === 'shadow' || variant.role === 'standby') && variant.weight > 0)
  if (idle !== undefined) check.fail(`the weight of ${idle.role} "${idle.name}"`, '0', idle.weight)
  const sum = variants.reduce((total, variant) => total + variant.weight, 0)
  if (Math.abs(sum - 1) > WEIGHT_TOLERANCE) check.fail('the sum of the weights', '1', sum)
}

function checkUnique(values: readonly (string | number)[], what: string): void {
  const twice = values.find((value, index) => values.indexOf(value) !== index)
  if (twice !== undefined) check.fail(what, 'unique', twice)
}
