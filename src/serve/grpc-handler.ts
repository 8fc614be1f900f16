import { GrpcError, type GrpcHandler, type GrpcRequest, type GrpcRequestHead, type GrpcStatus } from '../core/grpc.ts'
import type { Access } from './access.ts'
import type { Admission } from './admission.ts'
import type { GrpcCall, GrpcMethod, GrpcMethods } from './grpc-method.ts'
import { HTTP_STATUSES, toGrpcError } from './grpc-status.ts'
import { HEALTH_METHODS } from './health-grpc/handler.ts'
import type { ServerMetrics } from './metrics.ts'
import type { Service } from './model.ts'
import { TFS_METHODS } from './tfs-grpc/handler.ts'
import { V2_METHODS } from './v2-grpc/handler.ts'

/** What answers calls, and whom it shares its bounds and its counts with. */
export interface GrpcParts {
  readonly service: Service
  readonly admission: Admission
  readonly access: Access
  readonly metrics: Pick<ServerMetrics, 'requests' | 'seconds'>
  /** Tells milliseconds. */
  readonly now: () => number
}

const PROTOCOLS: readonly (readonly [protocol: string, methods: GrpcMethods])[] = [
  ['tfs-grpc', TFS_METHODS],
  ['v2-grpc', V2_METHODS],
  ['other', HEALTH_METHODS],
]

const METHODS: ReadonlyMap<string, GrpcMethod & { readonly protocol: string }> = new Map(
  PROTOCOLS.flatMap(([protocol, methods]) =>
    [...methods].map(([path, method]) => [path, { ...method, protocol }] as const),
  ),
)

/** Decides about a call before its message is read. */
export function toGrpcAdmit(parts: GrpcParts): (head: GrpcRequestHead) => GrpcError | (() => void) {
  return ({ path, metadata }) => {
    const method = METHODS.get(path)
    if (method === undefined) return new GrpcError('UNIMPLEMENTED', `Method not found: ${path}`)
    const { kind } = method
    const stranger = kind === 'probe' ? undefined : parts.access(metadata['authorization'])
    // How long its message is shows when it is there.
    const admitted = stranger ?? parts.admission.admit({ kind, bodyBytes: 0 })
    if (typeof admitted === 'function') return admitted
    const refusal = toGrpcError(admitted)
    count(parts, { protocol: method.protocol, model: '' }, refusal.status)
    return refusal
  }
}

/** Answers every call that a model server answers, counts and times it. */
export function toGrpcHandler(parts: GrpcParts): GrpcHandler {
  return async request => {
    const method = METHODS.get(request.path)
    if (method === undefined) throw new GrpcError('UNIMPLEMENTED', `Method not found: ${request.path}`)
    const call: GrpcCall = { service: parts.service, request, model: '' }
    const startedAt = parts.now()
    let status: GrpcStatus = 'UNKNOWN'
    try {
      const reply = await answer(method, call, parts.admission)
      status = findLeaving(request)?.status ?? 'OK'
      return reply
    } catch (error) {
      const wanted = findLeaving(request) ?? toGrpcError(error)
      if (wanted instanceof GrpcError) status = wanted.status
      throw wanted
    } finally {
      const labels = { protocol: method.protocol, model: toKnown(parts.service, call.model) }
      parts.metrics.seconds.observe(labels, (parts.now() - startedAt) / 1000)
      count(parts, labels, status)
    }
  }
}

async function answer(method: GrpcMethod, call: GrpcCall, admission: Admission) {
  if (method.kind === 'probe') return await method.answer(call)
  const release = admission.reserve(call.request.message.byteLength)
  try {
    return await method.answer(call)
  } finally {
    release()
  }
}

/** Why nobody waits for an answer any more, if so. */
function findLeaving({ signal }: GrpcRequest): GrpcError | undefined {
  return signal.aborted && signal.reason instanceof GrpcError ? signal.reason : undefined
}

interface Labels {
  readonly protocol: string
  readonly model: string
}

/** Metrics tell the status of calls by HTTP's numbers, so that one question covers all protocols. */
function count({ metrics }: GrpcParts, labels: Labels, status: GrpcStatus): void {
  metrics.requests.inc({ ...labels, status: String(HTTP_STATUSES[status]) })
}

/** Few words, whatever clients ask for. */
function toKnown({ catalog }: Service, model: string): string {
  return catalog.names.includes(model) ? model : ''
}
