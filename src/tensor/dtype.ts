/**
 * Every element type that ONNX Runtime, TensorFlow Serving and the Open Inference Protocol share, by its ONNX name.
 *
 * `v2`: Open Inference Protocol V2, "Tensor Data Types". `tfs`: `DataType` of tensorflow/core/framework/types.proto.
 * `label`: how TensorFlow prints that type in errors (`DataTypeString`). `bytes`: size of one element, 0 where it varies.
 */
export const DTYPES = {
  bool: { v2: 'BOOL', tfs: 'DT_BOOL', label: 'bool', bytes: 1, kind: 'boolean' },
  uint8: { v2: 'UINT8', tfs: 'DT_UINT8', label: 'uint8', bytes: 1, kind: 'integer' },
  uint16: { v2: 'UINT16', tfs: 'DT_UINT16', label: 'uint16', bytes: 2, kind: 'integer' },
  uint32: { v2: 'UINT32', tfs: 'DT_UINT32', label: 'uint32', bytes: 4, kind: 'integer' },
  uint64: { v2: 'UINT64', tfs: 'DT_UINT64', label: 'uint64', bytes: 8, kind: 'integer' },
  int8: { v2: 'INT8', tfs: 'DT_INT8', label: 'int8', bytes: 1, kind: 'integer' },
  int16: { v2: 'INT16', tfs: 'DT_INT16', label: 'int16', bytes: 2, kind: 'integer' },
  int32: { v2: 'INT32', tfs: 'DT_INT32', label: 'int32', bytes: 4, kind: 'integer' },
  int64: { v2: 'INT64', tfs: 'DT_INT64', label: 'int64', bytes: 8, kind: 'integer' },
  float16: { v2: 'FP16', tfs: 'DT_HALF', label: 'half', bytes: 2, kind: 'float' },
  float32: { v2: 'FP32', tfs: 'DT_FLOAT', label: 'float', bytes: 4, kind: 'float' },
  float64: { v2: 'FP64', tfs: 'DT_DOUBLE', label: 'double', bytes: 8, kind: 'float' },
  string: { v2: 'BYTES', tfs: 'DT_STRING', label: 'string', bytes: 0, kind: 'text' },
} as const satisfies Record<string, DtypeRow>

interface DtypeRow {
  readonly v2: string
  readonly tfs: string
  readonly label: string
  readonly bytes: number
  readonly kind: 'boolean' | 'integer' | 'float' | 'text'
}

/** The ONNX name of an element type. */
export type Dtype = keyof typeof DTYPES
/** The Open Inference Protocol's name of an element type. */
export type V2Datatype = (typeof DTYPES)[Dtype]['v2']

/** Whether a text names an element type as ONNX Runtime does. */
export function isDtype(text: string): text is Dtype {
  return Object.hasOwn(DTYPES, text)
}
