import type { GrpcReply, GrpcRequest } from '../../core/grpc/grpc.ts'
import type { StreamAnswering } from '../../tensor/index.ts'
import {
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
  parseMessage,
  toMessageBytes,
} from '../../tensor/messages.ts'
import type { Service } from '../model.ts'
import type { Arrival } from './admission.ts'

/** A call on its way through the server. */
export interface GrpcCall {
  readonly service: Service
  readonly request: GrpcRequest
}

/** One method of a service. */
export interface GrpcMethod {
  readonly kind: Arrival['kind']
  /** @throws a `Refusal`, or a `TensorError` where a message cannot be used */
  readonly answer: (call: GrpcCall) => GrpcReply | Promise<GrpcReply>
  /** Of a method that takes many messages, each of them a request of its own. */
  readonly stream?: (request: GrpcRequest, answering: StreamAnswering) => AsyncIterable<Uint8Array>
}

/** Methods by their paths. */
export type GrpcMethods = ReadonlyMap<string, GrpcMethod>

/** The path of a method. */
export function toPath({ parent, name }: Pick<DescMethodUnary, 'parent' | 'name'>): string {
  return `/${parent.typeName}/${name}`
}

/** A method of generated messages, by its path. */
export function toMethod<input extends DescMessage, output extends DescMessage>(
  method: DescMethodUnary<input, output>,
  kind: Arrival['kind'],
  answer: (
    call: GrpcCall,
    message: MessageShape<input>,
  ) => MessageInitShape<output> | Promise<MessageInitShape<output>>,
): readonly [path: string, method: GrpcMethod] {
  return [
    toPath(method),
    {
      kind,
      async answer(call) {
        const message = parseMessage(method.input, call.request.message)
        return { message: toMessageBytes(method.output, await answer(call, message)) }
      },
    },
  ]
}
