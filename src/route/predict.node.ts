import { randomBytes } from 'node:crypto'
import type { HttpRequest, HttpResponse } from '../core/http.ts'
import { toUuidV7 } from '../core/uuid.ts'
import { type Refusal, toRefusalResponse } from './errors.ts'
import { type ForwardWorld, forward, type Order, type Tries, type Try } from './forward.node.ts'
import { toClientHeaders, toReplicaHeaders } from './headers.ts'
import { type Hints, parseHints } from './hints.ts'
import type { LiveVariant, RoutingTable } from './live-routes.node.ts'
import { isRepeatable, type PathUse } from './path.ts'
import type { ShadowCopier } from './shadow.node.ts'
import type { TapMaker, Taken } from './taps.ts'
import type { UpstreamRequest } from './upstream.node.ts'
import { chooseVariant, findVersion, type VariantChoice } from './variant-choice.ts'

/** What answering predictions works with. */
export interface PredictWorld extends ForwardWorld {
  readonly random: () => number
  readonly shadows: ShadowCopier
  readonly taps: TapMaker
}

type ModelUse = Extract<PathUse, { readonly protocol: unknown }>

/** Answers a prediction: chooses a variant, forwards, copies to the shadows and hands what came of it to the records. */
export async function predict(
  world: PredictWorld,
  table: RoutingTable,
  request: HttpRequest,
  use: ModelUse,
): Promise<HttpResponse> {
  const arrivedAt = world.clock()
  const hints = parseHints(request.headers)
  if ('problem' in hints) return refuse(world, request, { code: 'HINT', status: 400, text: hints.problem })
  const { version, labelled } = use
  const choice = chooseVariant(table.variants, { version, labelled, entity: hints.entity, random: world.random })
  if (choice === undefined) return refuse(world, request, toNoVariant(table, use))
  const id = toUuidV7(arrivedAt, randomBytes(10))
  const order = toOrder(request, choice, true)
  const taken: Taken = { id, at: arrivedAt, epoch: table.epoch, protocol: use.protocol, paths: table.paths, hints, body: request.body }
  const tries = forward(world, order)
  if (!choice.pinned) world.shadows.copy(order.request, table.shadows, taken)
  return finish(world, request, taken, choice, await tries)
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
  if (variant === undefined) return refuse(world, request, toNoVariant(table, use))
  const tries = await forward(world, toOrder(request, { variant, propensity: 1, pinned: true }, false))
  return toResponse(world, request, tries)
}
