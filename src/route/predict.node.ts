import { randomBytes } from 'node:crypto'
import type { HttpRequest, HttpResponse } from '../core/http.ts'
import { toUuidV7 } from '../core/uuid.ts'
import { type Refusal, toRefusalResponse } from './errors.ts'
import { type ForwardWorld, forward, type Order, type Tries, type Try } from './forward.node.ts'
import { toClientHeaders, toReplicaHeaders } from './headers.ts'
import { parseHints } from './hints.ts'
import type { LiveVariant, RoutingTable } from './live-routes.node.ts'
import { isRepeatable, type PathUse } from './path.ts'
import type { ShadowCopier } from './shadow.node.ts'
import { addTap, type Taken, type TapWorld } from './taps.ts'
import { chooseVariant, findVersion, type VariantChoice } from './variant-choice.ts'

/** What answering predictions works with. */
export interface PredictWorld extends ForwardWorld, TapWorld {
  readonly metrics: ForwardWorld['metrics']
  readonly limits: ForwardWorld['limits']
  /** Draws a number within [0, 1). */
  readonly random: () => number
  readonly shadows: ShadowCopier
}

type ModelUse = Extract<PathUse, { readonly protocol: unknown }>

/** Answers a prediction: chooses a variant, forwards, copies to the shadows and hands what came of it to the records. */
export async function predict(
  world: PredictWorld,
  table: RoutingTable,
  request: HttpRequest,
  use: ModelUse,
): Promise<HttpResponse> {
  const startedAt = performance.now()
  const at = world.clock()
  const hints = parseHints(request.headers)
  if ('problem' in hints) return refuse(world, request, { code: 'HINT', status: 400, text: hints.problem })
  const { version, labelled } = use
  const choice = chooseVariant(table.variants, { version, labelled, entity: hints.entity, random: world.random })
  if (choice === undefined) return refuse(world, request, toNoVariant(table, version))
  const id = toUuidV7(at, randomBytes(10))
  const plain = (request.headers['content-encoding'] ?? 'identity') === 'identity'
  const { epoch, paths } = table
  const taken = { id, at, epoch, protocol: use.protocol, paths, hints, body: request.body, plain }
  const order = toOrder(request, choice.variant, { recorded: true, mayFallBack: version === undefined })
  const sending = forward(world, order)
  if (!choice.pinned) world.shadows.copy(order.request, table.shadows, taken)
  const tries = await sending
  record(world, taken, choice, tries)
  world.metrics.seconds.observe({ variant: tries.last.variant.name }, (performance.now() - startedAt) / 1000)
  return toResponse(world, request, tries, { 'x-regatta-prediction': id })
}

/** Forwards anything else that the model servers answer: to the champion, or to the version that the path names. */
export async function pass(
  world: PredictWorld,
  table: RoutingTable,
  request: HttpRequest,
  use: PathUse,
): Promise<HttpResponse> {
  const version = use.kind === 'model' ? use.version : undefined
  const variant = version === undefined ? table.champion : findVersion(table.variants, version)
  if (variant === undefined) return refuse(world, request, toNoVariant(table, version))
  const order = toOrder(request, variant, { recorded: false, mayFallBack: version === undefined })
  return toResponse(world, request, await forward(world, order))
}

/** Words a refusal of the gateway's own, and counts it. */
export function refuse(
  world: Pick<PredictWorld, 'metrics'>,
  request: Pick<HttpRequest, 'path'>,
  refusal: Refusal,
): HttpResponse {
  world.metrics.refused.inc({ code: refusal.code })
  return toRefusalResponse(request.path, refusal)
}

function toOrder(
  request: HttpRequest,
  variant: LiveVariant,
  more: { readonly recorded: boolean; readonly mayFallBack: boolean },
): Order {
  const { method, path, query, body, headers, signal } = request
  const target = query.size === 0 ? path : `${path}?${query}`
  return {
    request: { method, target, headers: toReplicaHeaders(headers, more.recorded), body },
    variant,
    mayFallBack: more.mayFallBack,
    repeatable: isRepeatable(method, path),
    signal,
  }
}

/** The answer counts for who gave it; where that is not whom chance chose, the failure counts for the chosen one. */
function record(
  world: PredictWorld,
  taken: Taken,
  { variant, propensity, pinned }: VariantChoice<LiveVariant>,
  { earlier, last }: Tries,
): void {
  const fellBack = last.variant.id !== variant.id
  addTap(world, taken, { served: true, propensity, pinned: pinned || fellBack }, last)
  if (!fellBack) return
  world.metrics.fallbacks.inc({ variant: variant.name })
  const failed = earlier.findLast(item => item.variant.id === variant.id)
  if (failed !== undefined) addTap(world, taken, { served: false, propensity, pinned: false }, failed)
}

const NO_BODY = new Uint8Array()
/** The client is gone, so nobody reads this; proxies use the number in their metrics. */
const GONE_STATUS = 499

function toResponse(
  world: PredictWorld,
  request: HttpRequest,
  { last }: Tries,
  more: Readonly<Record<string, string>> = {},
): HttpResponse {
  const { result } = last
  const variant = last.variant.name
  const status = result.kind === 'answer' ? result.status : result.kind === 'gone' ? GONE_STATUS : undefined
  if (status !== undefined) world.metrics.requests.inc({ variant, status: String(status) })
  if (result.kind === 'gone') return { status: GONE_STATUS, headers: {}, body: NO_BODY }
  if (result.kind !== 'answer') return refuse(world, request, toRefusal(last.variant, result))
  const isHead = request.method === 'HEAD'
  const headers = { ...toClientHeaders(result.headers, isHead), 'x-regatta-variant': variant, ...more }
  return { status: result.status, headers, body: isHead ? toNothing() : result.body }
}

/** A stream leaves the length that the replica told in place; the answer to HEAD has it without the body. */
async function* toNothing(): AsyncGenerator<Uint8Array> {}

function toRefusal(
  variant: LiveVariant,
  result: Exclude<Try['result'], { readonly kind: 'answer' | 'gone' }>,
): Refusal {
  switch (result.kind) {
    case 'no-replica':
      return {
        code: 'NO_REPLICA',
        status: 503,
        text: `No replica of variant "${variant.name}" can take the request now`,
      }
    case 'lost':
      return { code: 'REPLICA_LOST', status: 502, text: 'The replica broke the connection before its answer was whole' }
    case 'timeout':
      return { code: 'REPLICA_TIMEOUT', status: 504, text: 'The replica did not answer in time' }
    case 'too-long':
      return { code: 'ANSWER_TOO_LONG', status: 502, text: "The replica's answer is longer than the gateway forwards" }
    case 'unsendable':
      return { code: 'UNSENDABLE', status: 400, text: `Cannot forward the request: ${result.reason}` }
    default:
      return result satisfies never
  }
}

function toNoVariant(table: RoutingTable, version: string | undefined): Refusal {
  if (version === undefined)
    return { code: 'NO_REPLICA', status: 503, text: `Nothing is deployed as "${table.deployment}" yet` }
  const known = table.variants.filter(variant => variant.role !== 'standby').map(variant => variant.version)
  return {
    code: 'NO_VERSION',
    status: 404,
    text: `Cannot find version ${version} of model "${table.deployment}": expected one of ${known.join(', ')}`,
  }
}
