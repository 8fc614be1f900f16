import { GrpcError, type GrpcRequest } from '../core/grpc/grpc.ts'
import { inOrder } from '../core/in-order.ts'
import { listMessages, readFields, readString, toBytes } from '../core/protobuf.ts'
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

/** One answer to a message of a stream. */
export interface StreamAnswer {
  /** A `ModelInferResponse`. */
  readonly message: Uint8Array
  /** What went wrong, where something did. */
  readonly error?: string | undefined
}

/** Answers `ModelStreamInfer` of which each message is a call of its own. */
export interface StreamAnswering {
  /** From its abort on no message is taken, and its reason ends the stream. */
  readonly stop: AbortSignal
  /** The answers to one message; a `GrpcError` that it throws is its last. */
  readonly answer: (request: GrpcRequest) => AsyncIterable<StreamAnswer>
}

/** Metadata with which a client wants the first error to end its stream, as its status (Triton, "GRPC Status Codes"). */
export const ENDS_WITH_ERROR = 'triton_grpc_error'

/**
 * Answers `ModelStreamInfer`: first answers in the order of their messages. What goes wrong with one is told in its answer,
 * and the stream goes on, unless its client wants to have it otherwise.
 */
export async function* answerInferStream(
  { path, metadata, deadlineAt, signal, messages = NONE }: GrpcRequest,
  { stop, answer }: StreamAnswering,
): AsyncGenerator<Uint8Array, void> {
  const over = new AbortController()
  const call = { path, metadata, deadlineAt, signal: AbortSignal.any([signal, over.signal]) }
  const endsWithError = metadata[ENDS_WITH_ERROR] === 'true'
  const answerOne = async function* (message: Uint8Array): AsyncGenerator<Uint8Array> {
    try {
      for await (const { message: bytes, error } of answer({ ...call, message })) {
        if (error !== undefined && endsWithError) throw new GrpcError('UNKNOWN', error)
        yield toStreamAnswer(bytes, error)
      }
    } catch (error) {
      if (!(error instanceof GrpcError) || endsWithError) throw error
      yield toStreamFailure(message, error.message)
    }
  }
  try {
    yield* inOrder(messages, { parallel: MAX_PARALLEL, signal: stop }, answerOne)
  } finally {
    // What is still asked is not wanted any more.
    over.abort(new GrpcError('CANCELLED', 'The stream is over'))
  }
}

const NONE: AsyncIterable<Uint8Array> = { async *[Symbol.asyncIterator]() {} }

/** Writes a `ModelStreamInferResponse` of a `ModelInferResponse` that is written already. */
export function toStreamAnswer(answer: Uint8Array, error = ''): Uint8Array {
  const writer = openWriter(answer.length + error.length + 2 * FRAME_BYTES)
  putBytes(writer, FIELDS.answer, answer)
  putTextUnlessEmpty(writer, FIELDS.error, error)
  return toMessage(writer)
}

/** Reads a `ModelStreamInferResponse`; its `ModelInferResponse` is not looked into. @throws ProtobufError */
export function parseStreamAnswer(bytes: Uint8Array): StreamAnswer {
  const fields = readFields({ bytes, start: 0, end: bytes.byteLength })
  const error = readString(fields, FIELDS.error)
  const message = listMessages(fields, FIELDS.answer).at(-1)
  return { message: message === undefined ? NOTHING : toBytes(message), error: error === '' ? undefined : error }
}

const NOTHING = new Uint8Array(0)

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
