import { isSampled } from '../../core/uuid.ts'
import type { Capture } from '../../core/wire/routes.ts'
import type { Try } from '../forward.node.ts'
import type { Hints } from '../hints.ts'
import type { Limits } from '../limits.ts'
import type { GatewayMetrics } from '../metrics.ts'
import type { Protocol } from '../path.ts'
import type { RecordSink } from './record-sink.ts'
import { needsRequest, type Tap, type TapBody, type TapContent, toTapBody } from './tap.ts'

/** A prediction request as it was taken in: what its records have in common, whoever answers. */
export interface Taken {
  /** The request's UUIDv7. */
  readonly id: string
  /** Epoch ms. */
  readonly at: number
  readonly epoch: number
  readonly protocol: Protocol
  readonly capture: Capture
  readonly hints: Hints
  readonly body: TapBody
}

/** In which part a variant answered: see `PredictionRecord`. */
export interface Part {
  readonly served: boolean
  readonly propensity: number
  readonly pinned: boolean
}

/** What the taps go into. */
export interface TapWorld {
  readonly sink: RecordSink
  readonly limits: Pick<Limits, 'maxTapBytes'>
  readonly metrics: Pick<GatewayMetrics, 'untapped'>
}

/**
 * Hands what came of one try to the records. A client that left, or that sent what no server can take, says nothing
 * about a variant: nothing is recorded then, nor of a request that is not in the sample.
 */
export function addTap(world: TapWorld, taken: Taken, part: Part, tried: Try): void {
  const { result } = tried
  if (result.kind === 'gone' || result.kind === 'unsendable') return
  const { hints, capture, protocol, body } = taken
  if (capture.sample !== undefined && !isSampled(taken.id, capture.sample)) return
  const { series, at, entity } = hints
  const logged = capture.log === 'inputs' && !part.served ? 'outputs' : capture.log
  const isNeeded = logged === 'inputs' || needsRequest(capture, hints)
  const request = isNeeded ? toBounded(world, body) : undefined
  const { answer, problem } = toAnswer(world, result)
  const head = toHead(taken, part, tried)
  const { status } = head
  const content = { status, protocol, capture, series, at, entity, request, answer, problem, logged }
  world.sink.add({ head, content })
}

function toHead(
  { id, at, epoch, hints }: Taken,
  part: Part,
  { variant, replica, result, latencyUs }: Try,
): Tap['head'] {
  return {
    request: id,
    at,
    variant: variant.id,
    epoch,
    served: part.served,
    propensity: part.propensity,
    ...(part.pinned ? { pinned: true } : {}),
    status: result.kind === 'answer' ? result.status : 0,
    latencyUs,
    replica,
    ...(hints.entity === undefined ? {} : { entity: hints.entity }),
  }
}

/** A request that is too long leaves its rows unlabelled; the predictions are recorded. */
function toBounded(world: TapWorld, body: TapBody): TapBody | undefined {
  if (body.bytes.byteLength <= world.limits.maxTapBytes) return body
  world.metrics.untapped.inc({ reason: 'too-long' })
  return undefined
}

function toAnswer(world: TapWorld, result: Try['result']): Pick<TapContent, 'answer' | 'problem'> {
  if (result.kind !== 'answer') return { answer: undefined, problem: toProblem(result) }
  const answer = toBounded(world, toTapBody(result.body, result.grpc === undefined ? result.headers : {}))
  return answer === undefined
    ? { answer, problem: `Cannot record the answer: it is longer than ${world.limits.maxTapBytes} bytes` }
    : { answer, problem: undefined }
}

function toProblem(result: Exclude<Try['result'], { readonly kind: 'answer' }>): string {
  switch (result.kind) {
    case 'no-replica':
      return 'no replica could take the request'
    case 'circuit-open':
      return 'the variant failed too often to be asked'
    case 'lost':
      return `the connection broke: ${result.reason}`
    case 'timeout':
      return 'no answer in time'
    case 'too-long':
      return 'the answer was too long'
    case 'gone':
      return 'the client left'
    case 'unsendable':
      return result.reason
    default:
      return result satisfies never
  }
}
