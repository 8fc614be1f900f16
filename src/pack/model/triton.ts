import { RegattaError } from '../../core/errors.ts'
import type { ModelSignature, ValueSignature } from '../../train/index.ts'

/** The file beside the versions that tells Triton of a model. */
export const TRITON_CONFIG = 'config.pbtxt'

/** Types by their name in ONNX. Source: Triton Inference Server, docs/user_guide/model_configuration.md, "Datatypes". */
const DATA_TYPES: Readonly<Record<string, string>> = {
  bool: 'TYPE_BOOL',
  uint8: 'TYPE_UINT8',
  uint16: 'TYPE_UINT16',
  uint32: 'TYPE_UINT32',
  uint64: 'TYPE_UINT64',
  int8: 'TYPE_INT8',
  int16: 'TYPE_INT16',
  int32: 'TYPE_INT32',
  int64: 'TYPE_INT64',
  float16: 'TYPE_FP16',
  bfloat16: 'TYPE_BF16',
  float32: 'TYPE_FP32',
  float64: 'TYPE_FP64',
  string: 'TYPE_STRING',
}

/**
 * What Triton is told of a model: its name, its backend, and for ONNX the inputs and outputs with all their dimensions
 * (`max_batch_size` 0: the first one is no special one). A SavedModel tells Triton the rest itself.
 * Source: model_configuration.md of the Triton Inference Server, "Minimal Model Configuration".
 * @throws PACK_MODEL for what no Triton configuration can say
 */
export function toTritonConfig(model: string, signature: ModelSignature | null): string {
  if (signature === null) return `name: ${toText(model)}\nplatform: "tensorflow_savedmodel"\n`
  const head = `name: ${toText(model)}\nbackend: "onnxruntime"\nmax_batch_size: 0\n`
  const list = (key: string, values: readonly ValueSignature[]): string =>
    values.map(value => `${key} {\n${toValue(value)}}\n`).join('')
  return head + list('input', signature.inputs) + list('output', signature.outputs)
}

function toValue({ dtype, name, shape }: ValueSignature): string {
  const type = DATA_TYPES[dtype]
  if (type === undefined || shape === null) {
    throw new RegattaError(
      'PACK_MODEL',
      `Cannot tell Triton of "${name}": its ${type === undefined ? `type ${dtype}` : 'open rank'} has no word there`,
      { fix: `Write ${TRITON_CONFIG} yourself, beside the model` },
    )
  }
  const sizes = shape.map(size => (typeof size === 'number' ? size : -1))
  // A scalar has no dimensions, which Triton does not take: it is a list of one, in another shape.
  const dims = sizes.length === 0 ? '  dims: [ 1 ]\n  reshape { shape: [ ] }\n' : `  dims: [ ${sizes.join(', ')} ]\n`
  return `  name: ${toText(name)}\n  data_type: ${type}\n${dims}`
}

/** Text as protobuf writes it. Source: protobuf.dev/reference/protobuf/textformat-spec, "String Literals". */
function toText(text: string): string {
  const escaped = [...Buffer.from(text)].map(byte =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
      ? String.fromCharCode(byte)
      : `\\${byte.toString(8).padStart(3, '0')}`,
  )
  return `"${escaped.join('')}"`
}
