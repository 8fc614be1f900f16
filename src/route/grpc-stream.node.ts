import type { GrpcReply, GrpcRequest } from '../core/grpc.ts'
import { toField } from '../core/protobuf.ts'
import { answerInferStream } from '../tensor/index.ts'
import type { Admission } from './admission.ts'
import { refuseCall } from './grpc.node.ts'
import { INFER_PATH } from './grpc-calls.ts'
import { type GrpcHandlerWorld, handleGrpc } from './grpc-handler.node.ts'
import { NO_TOKEN, OVERLOADED } from './refusals.ts'

/** What answering streams works with. */
export interface GrpcStreamWorld extends GrpcHandlerWorld {
  readonly admission: Admission
}

/**
 * Answers V2's `ModelStreamInfer`. Each of its messages is a prediction of its own, with a variant, an id and a record: it
 * goes to a replica as `ModelInfer`. What metadata would say of its answer stands in the answer's parameters.
 */
export function handleGrpcStream(world: GrpcStreamWorld, call: GrpcRequest): GrpcReply {
  if (!world.access.mayPredict(call.metadata)) throw refuseCall(world, NO_TOKEN)
  return {
    message: answerInferStream(call, world.stopping, message => answerOne(world, { ...message, path: INFER_PATH })),
  }
}

async function answerOne(world: GrpcStreamWorld, call: GrpcRequest): Promise<GrpcReply> {
  const admitted = world.admission.admit(call.message.byteLength)
  if (admitted === 'full') throw refuseCall(world, OVERLOADED)
  try {
    const { message, metadata = {} } = await handleGrpc(world, call)
    if (!(message instanceof Uint8Array)) return { message }
    const own = Object.entries(metadata).filter(([name]) => name.startsWith('x-regatta-'))
    // Fields that are added to a message count as if they had been in it (protobuf.dev, "Encoding", "Last One Wins").
    return { message: Buffer.concat([message, ...own.map(([name, value = '']) => toParameter(name, value))]) }
  } finally {
    admitted()
  }
}

/** `ModelInferResponse.parameters`; the key and the value of an entry of a map; `InferParameter.string_param`. */
const PARAMETERS = 4
const KEY = 1
const VALUE = 2
const STRING = 3

function toParameter(name: string, value: string): Uint8Array {
  return toField(PARAMETERS, Buffer.concat([toField(KEY, name), toField(VALUE, toField(STRING, value))]))
}
