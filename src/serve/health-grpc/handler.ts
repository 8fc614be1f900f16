import { watchStatus } from '../../core/changes.ts'
import { GrpcError } from '../../core/grpc/grpc.ts'
import {
  GRPCInferenceService,
  Health,
  ModelService,
  PredictionService,
  parseMessage,
  HealthCheckResponse_ServingStatus as ServingStatus,
  toMessageBytes,
} from '../../tensor/messages.ts'
import { type GrpcMethods, toMethod, toPath } from '../front/grpc-method.ts'
import { isReady, type Service } from '../model.ts'

const SERVICES = [PredictionService, ModelService, GRPCInferenceService, Health]

/** What clients may ask for: the server, its services, and those of TensorFlow Serving by the names that it gives them. */
const NAMES: ReadonlySet<string> = new Set([
  '',
  ...SERVICES.map(({ typeName }) => typeName),
  PredictionService.name,
  ModelService.name,
])

const { check, list, watch } = Health.method

/** gRPC's health checking protocol (grpc/grpc, doc/health-checking.md). */
export const HEALTH_METHODS: GrpcMethods = new Map([
  toMethod(check, 'probe', (call, { service }) => {
    if (!NAMES.has(service)) throw new GrpcError('NOT_FOUND', `Unknown service "${service}"`)
    return { status: toStatus(call.service) }
  }),
  toMethod(list, 'probe', ({ service }) => ({
    statuses: Object.fromEntries([...NAMES].map(name => [name, { status: toStatus(service) }])),
  })),
  [
    toPath(watch),
    {
      kind: 'probe',
      answer({ service: server, request }) {
        const { service } = parseMessage(watch.input, request.message)
        const isKnown = NAMES.has(service)
        const read = (): ServingStatus => (isKnown ? toStatus(server) : ServingStatus.SERVICE_UNKNOWN)
        const write = (status: ServingStatus): Uint8Array => toMessageBytes(watch.output, { status })
        const source = { changing: server.catalog, stopping: server.stopping }
        return { message: watchStatus(source, read, write, request.signal) }
      },
    },
  ],
])

/** All services need the same. */
function toStatus(service: Service): ServingStatus {
  return isReady(service) ? ServingStatus.SERVING : ServingStatus.NOT_SERVING
}
