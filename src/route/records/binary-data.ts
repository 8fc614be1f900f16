import { DTYPES, fromHalfBits, type V2Datatype } from '../../tensor/index.ts'

type ReadAt = (view: DataView, at: number) => number | boolean

/** How an element of each datatype of fixed size is read; little-endian. 64-bit integers lose what a double cannot hold. */
const READ_AT: Readonly<Record<Exclude<V2Datatype, 'BYTES'>, ReadAt>> = {
  BOOL: (view, at) => view.getUint8(at) !== 0,
  UINT8: (view, at) => view.getUint8(at),
  UINT16: (view, at) => view.getUint16(at, true),
  UINT32: (view, at) => view.getUint32(at, true),
  UINT64: (view, at) => Number(view.getBigUint64(at, true)),
  INT8: (view, at) => view.getInt8(at),
  INT16: (view, at) => view.getInt16(at, true),
  INT32: (view, at) => view.getInt32(at, true),
  INT64: (view, at) => Number(view.getBigInt64(at, true)),
  FP16: (view, at) => fromHalfBits(view.getUint16(at, true)),
  FP32: (view, at) => view.getFloat32(at, true),
  FP64: (view, at) => view.getFloat64(at, true),
}
const SIZES = new Map<string, number>(Object.values(DTYPES).map(({ v2, bytes }) => [v2, bytes]))

/** Reads the elements of a V2 tensor from its raw bytes; of `BYTES`, each as text. Throws where they are no such ones. */
export function toBinaryData(datatype: string, bytes: Uint8Array): readonly (number | boolean | string)[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (datatype === 'BYTES') return toTexts(view)
  const size = SIZES.get(datatype)
  if (size === undefined) throw new Error(`Cannot read a tensor of ${datatype}: no such datatype is known`)
  if (bytes.byteLength % size !== 0)
    throw new Error(`Cannot read a tensor of ${datatype}: expected items of ${size} bytes, found ${bytes.byteLength}`)
  const readAt = READ_AT[datatype as Exclude<V2Datatype, 'BYTES'>]
  return Array.from({ length: bytes.byteLength / size }, (_, index) => readAt(view, index * size))
}

/** Each item: its length (4 bytes, little-endian), then so many bytes. */
function toTexts(view: DataView): readonly string[] {
  const texts: string[] = []
  for (let at = 0; at < view.byteLength; ) {
    const length = at + 4 <= view.byteLength ? view.getUint32(at, true) : Number.POSITIVE_INFINITY
    if (at + 4 + length > view.byteLength) throw new Error('Cannot read a tensor of BYTES: its last item is cut off')
    texts.push(Buffer.from(view.buffer, view.byteOffset + at + 4, length).toString('utf8'))
    at += 4 + length
  }
  return texts
}
