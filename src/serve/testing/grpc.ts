import { GRPC_CODES, type GrpcMetadata } from '../../core/grpc/grpc.ts'
import { openGrpcJs } from '../../core/grpc/testing/grpc-js.ts'
import {
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
  parseMessage,
  toMessageBytes,
} from '../../tensor/messages.ts'
import { toPath } from '../front/grpc-method.ts'
import type { Listening, ServerOptions } from '../options.ts'
import { openServer } from './place.ts'

/** What a call ended with: `OK`, or the name of another status, and its text. */
export interface Ended<message> {
  readonly status: string
  readonly text: string
  readonly message: message | undefined
}

/** How a method that takes and gives messages is called. */
export type CallMethod = <input extends DescMessage, output extends DescMessage>(
  method: DescMethodUnary<input, output>,
  init: MessageInitShape<input>,
  sending?: { readonly metadata?: GrpcMetadata; readonly deadlineMs?: number },
) => Promise<Ended<MessageShape<output>>>

const NAMES = new Map(Object.entries(GRPC_CODES).map(([name, code]) => [code as number, name]))

/** A client of grpc-js that reads and writes the generated messages. */
export function openClient(listening: Listening, tls?: Parameters<typeof openGrpcJs>[2]) {
  const client = openGrpcJs(listening.grpc?.port ?? 0, {}, tls)
  const call: CallMethod = async (method, init, sending) => {
    const seen = await client.call(toPath(method), toMessageBytes(method.input, init), sending)
    const [bytes] = seen.messages
    return {
      status: NAMES.get(seen.code) ?? '',
      text: seen.details,
      message: bytes === undefined ? undefined : parseMessage(method.output, bytes),
    }
  }
  return { ...client, call, [Symbol.dispose]: () => client[Symbol.dispose]() }
}

/** A server of one model in this process that speaks gRPC, too, and a client of it. */
export async function openGrpcServer(model: Uint8Array, options: Partial<ServerOptions> = {}) {
  const server = await openServer(model, { grpcPort: 0, ...options })
  const client = openClient(server)
  return {
    ...server,
    client,
    call: client.call,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}
