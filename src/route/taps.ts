import type { RowPaths } from './capture.ts'
import type { Try } from './forward.node.ts'
import type { Hints } from './hints.ts'
import type { Limits } from './limits.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { Protocol } from './path.ts'
import type { RecordSink } from './record-sink.ts'
import { needsRequest, type Tap } from './tap.ts'

/** A prediction request as it was taken in: what its records have in common, whoever answers. */
export interface Taken {
  /** The request's UUIDv7. */
  readonly id: string
  /** Epoch ms. */
  readonly at: number
  readonly epoch: number
  readonly protocol: Protocol
  readonly paths: RowPaths
  readonly hints: Hints
  readonly body: Uint8Array
  /** False where the body is compressed: only the replica reads it then. */
  readonly plain: boolean
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
 * about a variant: nothing is recorded then.
 */
export function addTap(world: TapWorld, taken: Taken, part: Part, tried: Try): void {
  const { result } = tried
  if (result.kind === 'gone' || result.kind === 'unsendable') return
  const { series, at, entity } = taken.hints
  const wantsRequest = taken.plain && needsRequest(taken.paths, series, at)
  world.sink.add({
    head: {
      request: taken.id,
      at: taken.at,
      variant: tried.variant.id,
      epoch: taken.epoch,
      served: part.served,
      propensity: part.propensity,
      ...(part.pinned ? { pinned: true } : {}),
      status: result.kind === 'answer' ? result.status : 0,
      latencyUs: tried.latencyUs,
      replica: tried.replica,
      ...(entity === undefined ? {} : { entity }),
    },
    protocol: taken.protocol,
    paths: taken.paths,
    series,
    at,
    request: wantsRequest ? toBounded(world, taken.body) : undefined,
    ...toAnswer(world, result),
  })
}

/** A request that is too long leaves its rows unlabelled; the predictions are recorded. */
function toBounded(world: TapWorld, body: Uint8Array): Uint8Array | undefined {
  if (body.byteLength <= world.limits.maxTapBytes) return body
  world.metrics.untapped.inc({ reason: 'too-long' })
  return undefined
}

function toAnswer(world: TapWorld, result: Try['result']): Pick<Tap, 'answer' | 'problem'> {
  if (result.kind !== 'answer') return { answer: undefined, problem: toProblem(result) }
  const encoding = result.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    return { answer: undefined, problem: `Cannot read the answer: it is encoded as ${String(encoding)}` }
  const answer = toBounded(world, result.body)
  return answer === undefined
    ? { answer, problem: `Cannot record the answer: it is longer than ${world.limits.maxTapBytes} bytes` }
    : { answer, problem: undefined }
}

function toProblem(result: Exclude<Try['result'], { readonly kind: 'answer' }>): string {
  switch (result.kind) {
    case 'no-replica':
      return 'no replica could take the request'
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
