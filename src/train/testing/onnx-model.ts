/*
 * Writes small ONNX models for tests, straight in protobuf. Field numbers are those of onnx.proto3.
 */

const encoder = new TextEncoder()

/** What a test model looks like beside its weight. */
export interface LinearModel {
  /** Factor of the output: y = weight · x. */
  readonly weight: number
  readonly metadata?: Readonly<Record<string, string>>
  /** Lists the weight as an input too, as models of IR version 3 do. */
  readonly weightAsInput?: boolean
}

/** An ONNX model y[batch, 1] = weight · x[batch, 1] in float32 that a runtime can load. */
export function toLinearModel({ weight, metadata = {}, weightAsInput = false }: LinearModel): Uint8Array {
  const x = value('x', 1, ['batch', 1])
  const w = value('w', 1, [1])
  const raw = new Uint8Array(Float32Array.of(weight).buffer)
  const tensor = [...varint(1, 1), ...varint(2, 1), ...text(8, 'w'), ...bytes(9, raw)]
  const node = [...text(1, 'x'), ...text(1, 'w'), ...text(2, 'y'), ...text(4, 'Mul')]
  const graph = [
    ...bytes(1, node),
    ...text(2, 'linear'),
    ...bytes(5, tensor),
    ...bytes(11, x),
    ...(weightAsInput ? bytes(11, w) : []),
    ...bytes(12, value('y', 1, ['batch', 1])),
  ]
  const entries = Object.entries(metadata).flatMap(([key, item]) => bytes(14, [...text(1, key), ...text(2, item)]))
  return Uint8Array.from([...varint(1, 8), ...bytes(8, varint(2, 13)), ...bytes(7, graph), ...entries])
}

/** A ValueInfoProto of a tensor type; a null shape leaves the rank open. */
export function value(name: string, dtype: number, shape: readonly (number | string | null)[] | null): number[] {
  const dimensions = (shape ?? []).flatMap(size =>
    bytes(1, size === null ? [] : typeof size === 'string' ? text(2, size) : varint(1, size)),
  )
  const tensor = [...varint(1, dtype), ...(shape === null ? [] : bytes(2, dimensions))]
  return [...text(1, name), ...bytes(2, bytes(1, tensor))]
}

/** A varint field; negative numbers as 64-bit two's complement. */
export const varint = (field: number, number: number): number[] => [
  ...base128(BigInt(field << 3)),
  ...base128(BigInt.asUintN(64, BigInt(number))),
]

/** A length-delimited field. */
export const bytes = (field: number, content: ArrayLike<number>): number[] => [
  ...base128(BigInt((field << 3) | 2)),
  ...base128(BigInt(content.length)),
  ...Array.from(content),
]

/** A text field. */
export const text = (field: number, content: string): number[] => bytes(field, encoder.encode(content))

function base128(number: bigint): number[] {
  return number < 0x80n ? [Number(number)] : [Number(number & 0x7fn) | 0x80, ...base128(number >> 7n)]
}
