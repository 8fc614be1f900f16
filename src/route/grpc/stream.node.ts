import type { GrpcReply, GrpcRequest } from '../../core/grpc/grpc.ts'
import { toField } from '../../core/protobuf.ts'
import { answerInferStream, type StreamAnswer } from '../../tensor/index.ts'
import type { Admission } from '../admission.ts'
import { NO_TOKEN, OVERLOADED } from '../refusals.ts'
import { readMessageSequence, Turns } from '../sequence.ts'
import { type CallReply, refuseCall } from './grpc.node.ts'
import { answerMessage, type GrpcHandlerWorld } from './handler.node.ts'

/** What answering streams works with. */
export interface GrpcStreamWorld extends GrpcHandlerWorld {
  readonly admission: Admission
}

/**
 * Answers V2's `ModelStreamInfer`. Each of its messages is a prediction of its own, with a variant, an id and a record, and
 * goes to a replica as a stream of its own. What metadata would say of its answers stands in their parameters.
 */
export function handleGrpcStream(world: GrpcStreamWorld, call: GrpcRequest): GrpcReply {
  if (!world.access.mayPredict(call.metadata)) throw refuseCall(world, NO_TOKEN)
  const turns = new Turns()
  const answer = (message: GrpcRequest): AsyncIterable<StreamAnswer> => answerOne(world, message, turns)
  return { message: answerInferStream(call, { stop: world.stopping, answer }) }
}

/** The answers to one message; each takes room until the client has taken it. */
async function* answerOne(world: GrpcStreamWorld, call: GrpcRequest, turns: Turns): AsyncGenerator<StreamAnswer, void> {
  const { message, answers, metadata = {} } = await answerAdmitted(world, call, turns)
  const given: AsyncIterable<StreamAnswer> | readonly StreamAnswer[] = answers ?? [{ message }]
  const own = Object.entries(metadata).filter(([name]) => name.startsWith('x-regatta-'))
  const parameters = own.map(([name, value = '']) => toParameter(name, value))
  for await (const { message: bytes, error } of given) {
    const release = world.admission.reserve(bytes.byteLength)
    if (release === 'full') throw refuseCall(world, OVERLOADED)
    try {
      // Fields that are added to a message count as if they had been in it (protobuf.dev, "Encoding", "Last One Wins").
      yield { message: Buffer.concat([bytes, ...parameters]), error }
    } finally {
      release()
    }
  }
}

/** Answers within the room for requests, which is free again once the replica is done, whenever the client reads. */
async function answerAdmitted(world: GrpcStreamWorld, call: GrpcRequest, turns: Turns): Promise<CallReply> {
  const admitted = world.admission.admit(call.message.byteLength)
  if (admitted === 'full') throw refuseCall(world, OVERLOADED)
  const sequence = readMessageSequence(call.message)
  const turn = sequence === undefined ? undefined : turns.take(sequence)
  const end = (): void => {
    admitted()
    turn?.end()
  }
  try {
    await turn?.begun
    const reply = await answerMessage(world, call)
    if (reply.answers === undefined) end()
    else void reply.answers.over.then(end)
    return reply
  } catch (error) {
    end()
    throw error
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
