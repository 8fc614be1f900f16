import type { HttpRequest, HttpResponse } from '../core/http/http.ts'
import { findPinned } from './choice/variant-choice.ts'
import { type Refusal, toRefusalResponse } from './errors.ts'
import { forward, type Tries, type Try } from './forward.node.ts'
import { toClientHeaders, toReplicaHeaders, toTrace } from './headers.ts'
import { type Hints, parseHints } from './hints.ts'
import { isRepeatable, type ModelUse, type PathUse, type Pin, toVersionTarget } from './path.ts'
import { type Asked, type PredictWorld, predict } from './predict.node.ts'
import { toTapBody } from './records/tap.ts'
import { toNoVariant, toRefusal } from './refusals.ts'
import type { LiveVariant, RoutingTable } from './routes/live-routes.node.ts'
import { readSequence } from './sequence.ts'
import type { UpstreamRequest } from './upstream/request-head.ts'

/** What the HTTP side works with. */
export interface HttpWorld extends PredictWorld {
  /** Whether the token of a request was for the gateway. */
  readonly access: { readonly isGuarded: boolean }
}

/** Answers a prediction. */
export async function answerPrediction(
  world: HttpWorld,
  table: RoutingTable,
  request: HttpRequest,
  use: ModelUse,
): Promise<HttpResponse> {
  const hints = parseHints(request.headers)
  if ('problem' in hints) return refuse(world, request, { code: 'HINT', status: 400, text: hints.problem })
  const predicted = await predict(world, table, toAsked(world, table, request, use, hints))
  if (predicted === undefined) return refuse(world, request, toNoVariant(table, use))
  const { id, tries, fallbackFrom } = predicted
  const more = fallbackFrom === undefined ? {} : { 'x-regatta-fallback-from': fallbackFrom }
  return toResponse(world, request, tries, { 'x-regatta-prediction': id, ...more })
}

/** Forwards anything else that the model servers answer: to the champion, or to what the path names. */
export async function pass(
  world: HttpWorld,
  table: RoutingTable,
  request: HttpRequest,
  use: PathUse,
): Promise<HttpResponse> {
  const hints = parseHints(request.headers)
  if ('problem' in hints) return refuse(world, request, { code: 'HINT', status: 400, text: hints.problem })
  const pin = use.kind === 'model' ? use.pin : undefined
  const variant = pin === undefined ? table.champion : findPinned(table.variants, pin)
  if (variant === undefined) return refuse(world, request, toNoVariant(table, use))
  const tries = await forward(world, {
    request: toReplicaRequest(world, request, pin, variant),
    variant,
    mayFallBack: pin === undefined,
    repeatable: isRepeatable(request.method, request.path),
    sequence: undefined,
    isCopy: false,
    timeoutMs: hints.timeoutMs,
    signal: request.signal,
  })
  return toResponse(world, request, tries)
}

/** Words a refusal of the gateway's own, and counts it. */
export function refuse(
  world: Pick<PredictWorld, 'metrics'>,
  request: Pick<HttpRequest, 'path'>,
  refusal: Refusal,
): HttpResponse {
  world.metrics.refused.inc({ code: refusal.code, protocol: 'http' })
  return toRefusalResponse(request.path, refusal)
}

function toAsked(
  world: HttpWorld,
  { capture }: RoutingTable,
  request: HttpRequest,
  { protocol, pin }: ModelUse,
  hints: Hints,
): Asked {
  const body = toTapBody(request.body, request.headers)
  const sequence = protocol === 'v2' ? readSequence(body) : undefined
  return {
    protocol,
    pin,
    hints: sequence === undefined ? hints : { ...hints, sequence },
    capture,
    body,
    signal: request.signal,
    toRequest: variant => toReplicaRequest(world, request, pin, variant),
  }
}

/** The same bytes, but for the headers of the hop, and for a label, which replicas do not know. */
function toReplicaRequest(
  world: HttpWorld,
  request: HttpRequest,
  pin: Pin | undefined,
  { version }: LiveVariant,
): UpstreamRequest {
  const { method, path, target = path, body, headers } = request
  return {
    method,
    target: pin?.kind === 'label' ? toVersionTarget(target, version) : target,
    headers: toReplicaHeaders(headers, world.access.isGuarded),
    body,
  }
}

const NO_BODY = new Uint8Array()
/** The client is gone, so nobody reads this; proxies use the number in their metrics. */
const GONE_STATUS = 499

function toResponse(
  world: HttpWorld,
  request: HttpRequest,
  { last }: Tries,
  more: Readonly<Record<string, string>> = {},
): HttpResponse {
  const { result } = last
  const variant = last.variant.name
  const status = toStatus(result)
  if (status !== undefined) world.metrics.requests.inc({ variant, status: String(status), protocol: 'http' })
  if (result.kind === 'gone') return { status: GONE_STATUS, headers: {}, body: NO_BODY }
  if (result.kind !== 'answer') {
    const refused = refuse(world, request, toRefusal(last.variant, result))
    return { ...refused, headers: { ...refused.headers, ...more } }
  }
  const isHead = request.method === 'HEAD'
  const headers = toClientHeaders(result.headers, isHead)
  const trace = toTrace(request.headers)
  if (trace !== undefined) headers['traceparent'] ??= trace
  headers['x-regatta-variant'] = variant
  return {
    status: result.status,
    headers: Object.assign(headers, more),
    body: isHead ? toNothing() : result.body,
  }
}

function toStatus(result: Try['result']): number | undefined {
  if (result.kind === 'answer') return result.status
  return result.kind === 'gone' ? GONE_STATUS : undefined
}

/** A stream leaves the length that the replica told in place; the answer to HEAD has it without the body. */
async function* toNothing(): AsyncGenerator<Uint8Array> {}
