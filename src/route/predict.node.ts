import type { Capture } from '../core/wire/routes.ts'
import { chooseVariant, type VariantChoice } from './choice/variant-choice.ts'
import { type ForwardWorld, forward, isStreaming, type Tries, toEnded } from './forward.node.ts'
import type { Hints } from './hints.ts'
import type { Wire } from './metrics.ts'
import type { Pin, Protocol } from './path.ts'
import { mintPredictionId } from './records/prediction-id.node.ts'
import type { TapBody } from './records/tap.ts'
import { addTap, type Taken, type TapWorld } from './records/taps.ts'
import type { LiveVariant, RoutingTable } from './routes/live-routes.node.ts'
import type { ReplicaRequest } from './routes/replica.node.ts'
import type { ShadowCopier } from './shadow.node.ts'

/** What answering predictions works with. */
export interface PredictWorld extends ForwardWorld, TapWorld {
  readonly metrics: ForwardWorld['metrics']
  readonly limits: ForwardWorld['limits']
  readonly shadows: ShadowCopier
}

/** A prediction as a client asked for it, whatever carried the request. */
export interface Asked {
  readonly protocol: Protocol
  readonly pin: Pin | undefined
  readonly hints: Hints
  readonly body: TapBody
  readonly capture: Capture
  readonly signal: AbortSignal
  /** The request for a replica of the variant that was chosen. */
  toRequest(variant: LiveVariant): ReplicaRequest
}

/** A prediction as it was answered, or not. */
export interface Predicted {
  readonly id: string
  readonly tries: Tries
  /** Whom chance had chosen, where the champion answered in its place. */
  readonly fallbackFrom: string | undefined
}

/**
 * Chooses a variant, forwards, copies to the shadows and hands what came of it to the records, a stream of answers once it
 * is over; undefined where there is no such variant.
 */
export async function predict(world: PredictWorld, table: RoutingTable, asked: Asked): Promise<Predicted | undefined> {
  const startedAt = performance.now()
  const { pin, hints, protocol, body, capture, signal } = asked
  const { sequence } = hints
  const choice = chooseVariant(table.variants, { pin, entity: hints.entity ?? sequence, random: world.random })
  if (choice === undefined) return undefined
  const at = world.clock()
  const id = mintPredictionId(at)
  const taken: Taken = { id, at, epoch: table.epoch, protocol, capture, hints, body }
  const request = asked.toRequest(choice.variant)
  const sending = forward(world, {
    request,
    variant: choice.variant,
    mayFallBack: pin === undefined,
    // What keeps state may have gone on to the next.
    repeatable: sequence === undefined,
    sequence,
    isCopy: false,
    timeoutMs: hints.timeoutMs,
    signal,
  })
  if (!choice.pinned) world.shadows.copy(request, table.shadows, taken)
  const tries = await sending
  if (isStreaming(tries.last)) void toEnded(tries.last).then(last => record(world, taken, choice, { ...tries, last }))
  else record(world, taken, choice, tries)
  const { variant } = tries.last
  const wire: Wire = 'method' in request ? 'http' : 'grpc'
  world.metrics.seconds.observe({ variant: variant.name, protocol: wire }, (performance.now() - startedAt) / 1000)
  return { id, tries, fallbackFrom: variant.id === choice.variant.id ? undefined : choice.variant.name }
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
