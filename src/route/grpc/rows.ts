import { listMessages, readFields, readString, type Span, toBytes } from '../../core/protobuf.ts'
import {
  fromHalfBits,
  type NamedTensors,
  parseModelInferRequest,
  parseModelInferResponse,
  parsePredictRequest,
  parsePredictResponse,
  type Tensor,
} from '../../tensor/index.ts'
import type { GrpcForm } from '../path.ts'
import { nest, type Rows, toRowObjects } from '../records/rows.ts'
import { isJsonArray } from './hints.ts'

/**
 * Splits an answer of gRPC into rows, such as the REST APIs give them: slices of the one output of `Predict`, or objects
 * of those of several by name; labels with their scores of `Classify`; values of `Regress`; slices of V2's first output, of all its answers in a stream.
 * @throws TensorError, ProtobufError
 */
export function toGrpcAnswerRows(form: GrpcForm, message: Uint8Array): Rows {
  switch (form) {
    case 'tfs-predict': {
      const { outputs } = parsePredictResponse(message)
      const [only] = outputs.values()
      return { rows: outputs.size === 1 && only !== undefined ? toTensorRows(only) : toColumns(outputs) }
    }
    case 'v2-infer': {
      const { outputs } = parseModelInferResponse(message)
      const [first] = outputs
      if (first === undefined) return { problem: 'Cannot read the answer: expected outputs[0]' }
      // Answers of a stream stand one after the other.
      return { rows: outputs.filter(({ name }) => name === first.name).flatMap(({ tensor }) => toTensorRows(tensor)) }
    }
    case 'tfs-classify':
      return { rows: listRows(message).map(row => listRepeated(row, 1).map(toClass)) }
    case 'tfs-regress':
      return { rows: listRows(message).map(row => readFloat(row, 1)) }
    case 'tfs-multi':
      return { problem: 'Cannot record the answer of MultiInference: it has several results for one row' }
    default:
      return form satisfies never
  }
}

/**
 * Splits a request of gRPC into rows: objects of each input's slice by its name; of V2, over which stand the parameters
 * that are arrays, as JSON. Examples of `Classify` and its like have none. @throws TensorError
 */
export function toGrpcRequestRows(form: GrpcForm, message: Uint8Array): Rows {
  if (form === 'tfs-predict') return { rows: toColumns(parsePredictRequest(message).inputs) }
  if (form !== 'v2-infer') return { problem: 'Cannot read the request: its examples are not looked into' }
  const { inputs, parameters } = parseModelInferRequest(message)
  const columns = inputs.map(({ name, tensor }) => [name, toTensorRows(tensor)] as const)
  const more = [...parameters].flatMap(([name, value]) => (isJsonArray(value) ? [[name, toArray(value)] as const] : []))
  return { rows: toRowObjects(Object.fromEntries([...columns, ...more])) }
}

function toColumns(tensors: NamedTensors): readonly unknown[] {
  return toRowObjects(Object.fromEntries([...tensors].map(([name, tensor]) => [name, toTensorRows(tensor)])))
}

/** The slices of a tensor by its first dimension. */
function toTensorRows(tensor: Tensor): readonly unknown[] {
  const { shape } = tensor
  const elements = toElements(tensor)
  // Rows without values hold no prediction, and a shape may claim any number of them.
  return shape.length <= 1 || elements.length === 0 ? elements : nest(elements, shape)
}

/** 64-bit integers lose what a double cannot hold, as in JSON. */
function toElements({ dtype, data }: Tensor): readonly unknown[] {
  switch (dtype) {
    case 'bool':
      return Array.from(data, Boolean)
    case 'float16':
      return Array.from(data, fromHalfBits)
    case 'string':
      return data
    default:
      return Array.from<number | bigint, number>(data, Number)
  }
}

function toArray(text: string): readonly unknown[] {
  const array: unknown = JSON.parse(text)
  return Array.isArray(array) ? array : []
}

/** The rows of a `ClassificationResponse` or `RegressionResponse`: the first field of its first field. */
function listRows(message: Uint8Array): readonly Span[] {
  return listRepeated({ bytes: message, start: 0, end: message.byteLength }, 1).flatMap(result =>
    listRepeated(result, 1),
  )
}

function listRepeated(span: Span, number: number): readonly Span[] {
  return listMessages(readFields(span), number)
}

/** `Class`: its label and its score. */
function toClass(span: Span): readonly [label: string, score: number] {
  return [readString(readFields(span), 1), readFloat(span, 2)]
}

/** The float of a field, which stands in its last four bytes; absent is 0. */
function readFloat(span: Span, number: number): number {
  const field = readFields(span).findLast(item => item.number === number)
  if (field === undefined) return 0
  const bytes = toBytes(field.whole)
  return bytes.byteLength < 5
    ? 0
    : new DataView(bytes.buffer, bytes.byteOffset + bytes.byteLength - 4).getFloat32(0, true)
}
