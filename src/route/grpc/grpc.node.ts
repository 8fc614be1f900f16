import { toErrorText } from '../../core/errors.ts'
import { GrpcError, type GrpcMetadata, type GrpcReply, type GrpcRequest } from '../../core/grpc/grpc.ts'
import { findPinned } from '../choice/variant-choice.ts'
import type { Refusal } from '../errors.ts'
import { forward, type Order, type Tries, type Try, toEnded } from '../forward.node.ts'
import { toClientHeaders, toReplicaHeaders, toTrace } from '../headers.ts'
import type { Hints } from '../hints.ts'
import type { HttpWorld } from '../http.node.ts'
import type { GrpcForm, Pin, Protocol } from '../path.ts'
import { type Asked, predict } from '../predict.node.ts'
import { toNoVariant, toRefusal } from '../refusals.ts'
import type { LiveVariant, RoutingTable } from '../routes/live-routes.node.ts'
import type { AnswerStream } from '../upstream/answer-stream.node.ts'
import { parseGrpcHints, toRowCapture } from './hints.ts'
import { type CallTarget, readModelTarget, readPredictionTarget, withVersion } from './messages.ts'
import { toRefusalError } from './status.ts'
import type { GrpcUpstreamRequest } from './upstream.node.ts'

/** What the gRPC side works with. */
export type GrpcWorld = HttpWorld

/** An answer to a call; of one that is a message of a stream it is the first, and `answers` are all. */
export interface CallReply extends GrpcReply {
  readonly message: Uint8Array
  readonly answers?: AnswerStream
}

/** Answers a prediction. Throws a `GrpcError` where there is none. */
export async function answerCall(
  world: GrpcWorld,
  table: RoutingTable,
  call: GrpcRequest,
  form: GrpcForm,
): Promise<CallReply> {
  const target = readTarget(world, () => readPredictionTarget(form, call.message))
  const { pin } = target
  const hints = readHints(world, call, target)
  // What is not the deployment's model is for the champion to refuse, in its own words.
  if (target.model !== table.deployment) return await passTo(world, call, table.champion, { hints, table })
  const predicted = await predict(world, table, toAsked(world, call, form, { target, hints, table }))
  if (predicted === undefined) throw refuseCall(world, toNoVariant(table, { pin, protocol: form }))
  const { id, tries, fallbackFrom } = predicted
  const more = fallbackFrom === undefined ? {} : { 'x-regatta-fallback-from': fallbackFrom }
  return toReply(world, call, tries, { 'x-regatta-prediction': id, ...more })
}

/** Forwards what is about a model or about its server: to the champion, or to what the message names. */
export async function passCall(
  world: GrpcWorld,
  table: RoutingTable,
  call: GrpcRequest,
  names: 'tfs' | 'v2' | undefined,
): Promise<CallReply> {
  const target = names === undefined ? NO_TARGET : readTarget(world, () => readModelTarget(names, call.message))
  const hints = readHints(world, call, target)
  const pin = target.model === table.deployment ? target.pin : undefined
  if (pin === undefined) return await passTo(world, call, table.champion, { hints, table })
  const variant = findPinned(table.variants, pin)
  const protocol: Protocol = names === 'v2' ? 'v2' : 'v1'
  if (variant === undefined) throw refuseCall(world, toNoVariant(table, { pin, protocol }))
  return await passTo(world, call, variant, { hints, table, pin })
}

/** Words a refusal of the gateway's own, and counts it. */
export function refuseCall(world: Pick<GrpcWorld, 'metrics'>, refusal: Refusal, trailers?: GrpcMetadata): GrpcError {
  world.metrics.refused.inc({ code: refusal.code, protocol: 'grpc' })
  return toRefusalError(refusal, trailers)
}

const NO_TARGET: CallTarget = { model: undefined, pin: undefined, parameters: new Map() }

function readTarget(world: GrpcWorld, read: () => CallTarget): CallTarget {
  try {
    return read()
  } catch (error) {
    throw refuseCall(world, { code: 'MESSAGE', status: 400, text: toErrorText(error) })
  }
}

function readHints(world: GrpcWorld, { metadata, deadlineAt }: GrpcRequest, { parameters }: CallTarget): Hints {
  const leftMs = deadlineAt === undefined ? undefined : deadlineAt - Date.now()
  const hints = parseGrpcHints(metadata, parameters, leftMs)
  if ('problem' in hints) throw refuseCall(world, { code: 'HINT', status: 400, text: hints.problem })
  return hints
}

interface Wanted {
  readonly target: CallTarget
  readonly hints: Hints
  readonly table: RoutingTable
}

function toAsked(world: GrpcWorld, call: GrpcRequest, form: GrpcForm, { target, hints, table }: Wanted): Asked {
  const { pin, parameters } = target
  return {
    protocol: form,
    pin,
    hints,
    capture: toRowCapture(table.capture, parameters),
    body: { bytes: call.message, encoding: undefined, jsonBytes: undefined },
    signal: call.signal,
    toRequest: variant => toReplicaCall(world, call, pin, variant, form),
  }
}

/** The same bytes, but for a label, which replicas do not know. */
function toReplicaCall(
  world: GrpcWorld,
  { path, metadata, message }: GrpcRequest,
  pin: Pin | undefined,
  { version }: LiveVariant,
  form: GrpcForm | 'tfs' = 'tfs',
): GrpcUpstreamRequest {
  const body = pin?.kind === 'label' ? withVersion(form, message, version) : message
  return { path, metadata: toReplicaHeaders(metadata, world.access.isGuarded), body }
}

async function passTo(
  world: GrpcWorld,
  call: GrpcRequest,
  variant: LiveVariant | undefined,
  { hints, table, pin }: { readonly hints: Hints; readonly table: RoutingTable; readonly pin?: Pin },
): Promise<CallReply> {
  if (variant === undefined) throw refuseCall(world, toNoVariant(table, { kind: 'other' }))
  const order: Order = {
    request: toReplicaCall(world, call, pin, variant),
    variant,
    mayFallBack: pin === undefined,
    // No call that is forwarded changes anything.
    repeatable: true,
    sequence: undefined,
    isCopy: false,
    timeoutMs: hints.timeoutMs,
    signal: call.signal,
  }
  return toReply(world, call, await forward(world, order))
}

function toReply(
  world: GrpcWorld,
  call: GrpcRequest,
  { last }: Tries,
  more: Readonly<Record<string, string>> = {},
): CallReply {
  const { result, variant } = last
  void toEnded(last).then(ended => count(world, ended))
  // Nobody reads it.
  if (result.kind === 'gone') throw toRefusalError({ code: 'REPLICA_LOST', status: 499, text: 'The client left' })
  if (result.kind !== 'answer' || result.grpc === undefined) throw refuseCall(world, toWhy(last, result), more)
  const { grpc, headers, body } = result
  const trace = toTrace(call.metadata)
  const given = { traceparent: trace, ...toClientHeaders(headers, false) }
  const metadata: GrpcMetadata = { ...given, 'x-regatta-variant': variant.name, ...more }
  const { answers } = result
  if (answers !== undefined) return { message: body, metadata, answers }
  if (grpc.status === 'OK') return { message: body, metadata, trailers: grpc.trailers }
  throw new GrpcError(grpc.status, grpc.text, { trailers: { ...grpc.trailers, ...metadata } })
}

function count({ metrics }: GrpcWorld, { variant, result }: Try): void {
  const status = toStatus(result)
  if (status !== undefined) metrics.requests.inc({ variant: variant.name, status, protocol: 'grpc' })
}

function toStatus(result: Try['result']): string | undefined {
  if (result.kind === 'answer') return result.grpc?.status
  return result.kind === 'gone' ? 'CANCELLED' : undefined
}

function toWhy({ variant }: Try, result: Exclude<Try['result'], { readonly kind: 'gone' }>): Refusal {
  if (result.kind === 'answer') return toRefusal(variant, { kind: 'no-replica' })
  const { live, liveGrpc } = variant
  if (result.kind !== 'no-replica' || live.length === 0 || liveGrpc.length > 0) return toRefusal(variant, result)
  const text = `No replica of variant "${variant.name}" serves gRPC: ask over HTTP, or deploy its version anew`
  return { code: 'NO_REPLICA', status: 503, text }
}
