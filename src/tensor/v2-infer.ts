import { TensorError } from './errors.ts'
import { toRows } from './shape.ts'
import type { Tensor } from './tensor.ts'
import {
  type RequestedOutput,
  readV2Message,
  V2_REQUEST,
  V2_RESPONSE,
  type V2Head,
  type V2Message,
} from './v2-message.ts'
import { parseV2Tensor } from './v2-tensor.ts'

/** A tensor of a request or an answer. */
export interface InferTensor extends RequestedOutput {
  readonly tensor: Tensor
}

/** A `ModelInferRequest`. */
export interface ModelInferRequest extends V2Head {
  readonly inputs: readonly InferTensor[]
  /** The wanted outputs; none: all. */
  readonly outputs: readonly RequestedOutput[]
  /** Whether the inputs came raw: who sends so wants the outputs so. */
  readonly isRaw: boolean
}

/** A `ModelInferResponse`. */
export interface ModelInferResponse extends V2Head {
  readonly outputs: readonly InferTensor[]
  /** Whether the outputs are raw, rather than in the fields of their types. FP16 makes all of them raw. */
  readonly isRaw: boolean
}

/** What a message says without its elements being read. */
export interface InferPeek extends V2Head {
  /** Length of the first tensor's first dimension; undefined where there is none. */
  readonly rows: number | undefined
}

/**
 * Reads a `ModelInferRequest`. Numbers may be views of `bytes`.
 * Source: Open Inference Protocol V2, gRPC, "Inference".
 * @throws TENSOR_MESSAGE, TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE
 */
export function parseModelInferRequest(bytes: Uint8Array): ModelInferRequest {
  const message = readV2Message(bytes, V2_REQUEST)
  const inputs = readTensors(message, 'input')
  return { ...toHead(message), inputs, outputs: message.requested, isRaw: message.raw.length > 0 }
}

/** Reads a `ModelInferResponse`. @throws TENSOR_MESSAGE, TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE */
export function parseModelInferResponse(bytes: Uint8Array): ModelInferResponse {
  const message = readV2Message(bytes, V2_RESPONSE)
  return { ...toHead(message), outputs: readTensors(message, 'output'), isRaw: message.raw.length > 0 }
}

/** Reads of a `ModelInferRequest` what routing wants to know. @throws TENSOR_MESSAGE */
export function peekModelInferRequest(bytes: Uint8Array): InferPeek {
  return toPeek(readV2Message(bytes, V2_REQUEST))
}

/** Reads of a `ModelInferResponse` what routing wants to know. @throws TENSOR_MESSAGE */
export function peekModelInferResponse(bytes: Uint8Array): InferPeek {
  return toPeek(readV2Message(bytes, V2_RESPONSE))
}

function toPeek(message: V2Message): InferPeek {
  return { ...toHead(message), rows: toRows(message.tensors[0]?.shape[0]) }
}

function toHead({ id, modelName, modelVersion, parameters }: V2Message): V2Head {
  return { id, modelName, modelVersion, parameters }
}

type Side = 'input' | 'output'

function readTensors({ modelName, raw, tensors }: V2Message, side: Side): readonly InferTensor[] {
  if (raw.length > 0 && raw.length !== tensors.length) {
    // KServe's words (python/kserve/kserve/protocol/grpc/servicer.py).
    throw new TensorError(
      'TENSOR_SHAPE',
      `the number of ${side}s (${tensors.length}) does not match the expected number of raw ${side} contents ` +
        `(${raw.length}) for model '${modelName}'`,
    )
  }
  return tensors.map((unread, index) => {
    const { contents, name, parameters } = unread
    const bytes = raw[index]
    // MLServer's answers have both; whoever asked so raw wants what is raw.
    if (side === 'input' && bytes !== undefined && contents !== undefined) {
      // Triton's words (src/grpc/infer_handler.cc).
      throw new TensorError(
        'TENSOR_TYPE',
        `contents field must not be specified when using raw_${side}_contents for '${name}' for model '${modelName}'`,
      )
    }
    const elements = bytes === undefined ? { contents: contents ?? NO_BYTES } : { raw: bytes }
    return { name, tensor: atTensor(side, name, () => parseV2Tensor(unread, elements)), parameters }
  })
}

const NO_BYTES = new Uint8Array(0)

/** Adds the tensor's name to what is wrong with it. */
function atTensor(side: Side, name: string, read: () => Tensor): Tensor {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof TensorError)) throw error
    throw new TensorError(error.code, `Cannot use ${side} "${name}": ${error.message}`)
  }
}
