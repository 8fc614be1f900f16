import {
  GRPC_CODES,
  GrpcError,
  type GrpcHandler,
  type GrpcReply,
  type GrpcRequest,
  type GrpcRequestHead,
} from '../../core/grpc/grpc.ts'
import { HTTP_STATUSES } from '../../core/grpc/http-status.ts'
import type { GrpcService } from '../../core/grpc/server.node.ts'
import type { StreamAnswer } from '../../tensor/index.ts'
import type { Refusal } from '../errors.ts'
import { HEALTH_METHODS } from '../health-grpc/handler.ts'
import type { Service } from '../model.ts'
import { type Counting, type RequestEnd, runCounted } from '../telemetry/counted.ts'
import type { Protocol } from '../telemetry/protocols.ts'
import { TFS_METHODS } from '../tfs-grpc/handler.ts'
import { V2_METHODS } from '../v2-grpc/handler.ts'
import type { Access } from './access.ts'
import type { Admission } from './admission.ts'
import type { GrpcCall, GrpcMethod, GrpcMethods } from './grpc-method.ts'
import { toGrpcError } from './grpc-status.ts'

/** Whom calls share their bounds and their counts with. */
export interface GrpcParts extends Counting {
  readonly service: Service
  readonly admission: Admission
  readonly access: Access
}

const PROTOCOLS: readonly (readonly [protocol: Protocol, methods: GrpcMethods])[] = [
  ['tfs-grpc', TFS_METHODS],
  ['v2-grpc', V2_METHODS],
  ['other', HEALTH_METHODS],
]

const METHODS: ReadonlyMap<string, NamedMethod> = new Map(
  PROTOCOLS.flatMap(([protocol, methods]) =>
    [...methods].map(([path, method]) => [path, { ...method, protocol }] as const),
  ),
)

/** Answers every call that a model server answers; counts and times it, and traces predictions. */
export function toGrpcService(parts: GrpcParts): GrpcService {
  return {
    handler: toHandler(parts),
    admit: toAdmit(parts),
    streams: path => METHODS.get(path)?.stream !== undefined,
  }
}

/** Decides about a call before its message is read. */
function toAdmit(parts: GrpcParts): (head: GrpcRequestHead) => GrpcError | (() => void) {
  return ({ path, metadata }) => {
    const method = METHODS.get(path)
    if (method === undefined) return new GrpcError('UNIMPLEMENTED', `Method not found: ${path}`)
    // The messages of a stream are let in one by one.
    const kind = method.stream === undefined ? method.kind : 'question'
    const stranger = kind === 'probe' ? undefined : parts.access(metadata['authorization'])
    // How long its message is shows when it is there.
    const admitted = stranger ?? parts.admission.admit({ kind, bodyBytes: 0 })
    return typeof admitted === 'function' ? admitted : refuse(parts, method, admitted)
  }
}

function refuse({ metrics }: GrpcParts, { protocol }: NamedMethod, refusal: Refusal): GrpcError {
  const error = toGrpcError(refusal)
  metrics.onRequest(protocol, HTTP_STATUSES[error.status], 0)
  return error
}

function toHandler(parts: GrpcParts): GrpcHandler {
  return request => {
    const method = METHODS.get(request.path)
    if (method === undefined) throw new GrpcError('UNIMPLEMENTED', `Method not found: ${request.path}`)
    const { stream } = method
    if (stream === undefined) return answerCounted(parts, method, request)
    const answering = { stop: parts.service.stopping, answer: (call: GrpcRequest) => answerOne(parts, method, call) }
    return { message: stream(request, answering) }
  }
}

type NamedMethod = GrpcMethod & { readonly protocol: Protocol }

/** Answers one message of a stream; the answer takes room until it is taken. */
async function* answerOne(
  parts: GrpcParts,
  method: NamedMethod,
  request: GrpcRequest,
): AsyncGenerator<StreamAnswer, void> {
  const message = await answerAdmitted(parts, method, request)
  const release = reserve(parts, message.byteLength)
  try {
    yield { message }
  } finally {
    release()
  }
}

function reserve({ admission }: GrpcParts, bytes: number): () => void {
  try {
    return admission.reserve(bytes)
  } catch (error) {
    throw toGrpcError(error)
  }
}

async function answerAdmitted(parts: GrpcParts, method: NamedMethod, request: GrpcRequest): Promise<Uint8Array> {
  const admitted = parts.admission.admit({ kind: method.kind, bodyBytes: 0 })
  if (typeof admitted !== 'function') throw refuse(parts, method, admitted)
  try {
    const { message } = await answerCounted(parts, method, request)
    if (!(message instanceof Uint8Array)) throw new Error(`${request.path} answered a message with a stream`)
    return message
  } finally {
    admitted()
  }
}

async function answerCounted(parts: GrpcParts, method: NamedMethod, request: GrpcRequest): Promise<GrpcReply> {
  const { protocol, kind } = method
  const ended = await runCounted(
    parts,
    {
      protocol,
      isPrediction: kind === 'prediction',
      traceparent: request.metadata['traceparent'],
      toName: () => request.path.slice(1),
    },
    () => settle(method, { service: parts.service, request }, parts.admission),
    ({ error }) => toEnd(request, error),
  )
  if (ended.reply === undefined) throw ended.error
  return ended.reply
}

/** How a call ended; one whose client has left has a reply that nobody waits for, and an error. */
interface Ended {
  readonly reply?: GrpcReply
  readonly error?: unknown
}

async function settle(method: GrpcMethod, call: GrpcCall, admission: Admission): Promise<Ended> {
  const { signal } = call.request
  const findLeaving = (): object =>
    signal.aborted && signal.reason instanceof GrpcError ? { error: signal.reason } : {}
  try {
    return { reply: await answer(method, call, admission), ...findLeaving() }
  } catch (error) {
    return { error: toGrpcError(error), ...findLeaving() }
  }
}

async function answer(method: GrpcMethod, call: GrpcCall, admission: Admission): Promise<GrpcReply> {
  if (method.kind === 'probe') return await method.answer(call)
  const release = admission.reserve(call.request.message.byteLength)
  try {
    return await method.answer(call)
  } finally {
    release()
  }
}

/** Attributes are those of OpenTelemetry's semantic conventions for gRPC; an error that is none of ours is a bug. */
function toEnd({ path }: GrpcRequest, error: unknown): RequestEnd {
  const status = error === undefined ? 'OK' : error instanceof GrpcError ? error.status : 'UNKNOWN'
  return {
    status: HTTP_STATUSES[status],
    toAttributes() {
      const [, service = '', method = ''] = path.split('/')
      const code = GRPC_CODES[status]
      return { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': method, 'rpc.grpc.status_code': code }
    },
    error: HTTP_STATUSES[status] < 500 ? undefined : status,
  }
}
