import { GrpcError, type GrpcReply, type GrpcRequest } from '../core/grpc.ts'
import { inOrder } from '../core/in-order.ts'
import { TensorError } from './errors.ts'
import {
  openWriter,
  putBytes,
  putEmbedded,
  putText,
  putTextUnlessEmpty,
  toMessage,
  writtenBytes,
} from './proto-writer.ts'
import { peekModelInferRequest } from './v2-infer.ts'
import { V2_FIELDS } from './v2-message.ts'

/** Numbers of the fields of a `ModelStreamInferResponse`. */
const FIELDS = { error: 1, answer: 2 } as const

/** What the tag and the length of a field take. */
const FRAME_BYTES = 16

/** Requests of one stream that are worked on at once; what the client sends more of waits with it. */
const MAX_PARALLEL = 64

/**
 * Answers `ModelStreamInfer`: each message as a call of its own, in their order. What goes wrong with one is told in its
 * answer, and the stream goes on. From the abort of `stop` on no message is taken, and its reason ends the stream.
 */
export function answerInferStream(
  { path, metadata, deadlineAt, signal, messages = NONE }: GrpcRequest,
  stop: AbortSignal,
  answer: (request: GrpcRequest) => Promise<GrpcReply>,
): AsyncIterable<Uint8Array> {
  return inOrder(messages, { parallel: MAX_PARALLEL, signal: stop }, async message => {
    try {
      const reply = await answer({ path, metadata, deadlineAt, signal, message })
      if (!(reply.message instanceof Uint8Array)) throw new Error(`${path} answered a message with a stream`)
      return toStreamAnswer(reply.message)
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error
      return toStreamFailure(message, error.message)
    }
  })
}

const NONE: AsyncIterable<Uint8Array> = { async *[Symbol.asyncIterator]() {} }

/** Writes a `ModelStreamInferResponse` of a `ModelInferResponse` that is written already. */
export function toStreamAnswer(answer: Uint8Array): Uint8Array {
  const writer = openWriter(answer.length + FRAME_BYTES)
  putBytes(writer, FIELDS.answer, answer)
  return toMessage(writer)
}

/** Writes the `ModelStreamInferResponse` to a request that failed; it has the request's id, as Triton's has. */
export function toStreamFailure(request: Uint8Array, text: string): Uint8Array {
  const writer = openWriter(text.length + 2 * FRAME_BYTES)
  const since = writtenBytes(writer)
  putTextUnlessEmpty(writer, V2_FIELDS.id, readId(request))
  putEmbedded(writer, FIELDS.answer, since)
  putText(writer, FIELDS.error, text)
  return toMessage(writer)
}

function readId(request: Uint8Array): string {
  try {
    return peekModelInferRequest(request).id
  } catch (error) {
    if (error instanceof TensorError) return ''
    throw error
  }
}
