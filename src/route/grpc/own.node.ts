import { watchStatus } from '../../core/changes.ts'
import { toErrorText } from '../../core/errors.ts'
import { GrpcError, type GrpcReply, type GrpcRequest } from '../../core/grpc/grpc.ts'
import { readFields, readString, toField } from '../../core/protobuf.ts'
import { findObstacle, type OwnWorld } from '../own.node.ts'
import { HEALTH_SERVICES, type OwnCall } from './calls.ts'

/** `HealthCheckResponse.ServingStatus`. Source: grpc/grpc doc/health-checking.md. */
const SERVING = 1
const NOT_SERVING = 2
const SERVICE_UNKNOWN = 3

type State = Pick<OwnWorld, 'routes' | 'stopping'>

/** Answers one of the gateway's own calls: how it is itself. */
export function answerOwnCall(world: State, call: GrpcRequest, own: OwnCall): GrpcReply {
  switch (own) {
    case 'live':
      return { message: toField(1, 1) }
    case 'ready':
      return { message: findObstacle(world) === undefined ? toField(1, 1) : new Uint8Array(0) }
    case 'health-check': {
      const service = readService(call.message)
      if (!HEALTH_SERVICES.has(service)) throw new GrpcError('NOT_FOUND', `Nothing here serves "${service}"`)
      return { message: toField(1, toServing(world)) }
    }
    case 'health-list':
      return { message: Buffer.concat([...HEALTH_SERVICES].map(service => toListed(service, toServing(world)))) }
    case 'health-watch':
      return { message: watch(world, readService(call.message), call.signal) }
    default:
      return own satisfies never
  }
}

function readService(message: Uint8Array): string {
  try {
    return readString(readFields({ bytes: message, start: 0, end: message.byteLength }), 1)
  } catch (error) {
    throw new GrpcError('INVALID_ARGUMENT', `Cannot read the name of the service: ${toErrorText(error)}`)
  }
}

/** An entry of `HealthListResponse.statuses`. */
function toListed(service: string, status: number): Uint8Array {
  return toField(1, Buffer.concat([toField(1, service), toField(2, toField(1, status))]))
}

function toServing(world: State): number {
  return findObstacle(world) === undefined ? SERVING : NOT_SERVING
}

function watch(world: State, service: string, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const { routes: changing, stopping } = world
  const read = (): number => (HEALTH_SERVICES.has(service) ? toServing(world) : SERVICE_UNKNOWN)
  return watchStatus({ changing, stopping }, read, status => toField(1, status), signal)
}
