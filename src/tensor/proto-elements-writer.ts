import { type ProtoWriter, putBytes, putEmbedded, putText, putVarint, putWords, writtenBytes } from './proto-writer.ts'
import { toRaw } from './raw.ts'
import type { Tensor } from './tensor.ts'

/** Puts a tensor's elements as a repeated field: numbers in one pack, each text as a field of its own. */
export function putElements(writer: ProtoWriter, field: number, tensor: Tensor): void {
  if (tensor.data.length === 0) return
  if (tensor.dtype === 'string') {
    for (let index = tensor.data.length - 1; index >= 0; index -= 1) putText(writer, field, tensor.data[index] ?? '')
    return
  }
  if (tensor.dtype === 'float32' || tensor.dtype === 'float64') {
    putBytes(writer, field, toRaw(tensor))
    return
  }
  const since = writtenBytes(writer)
  if (tensor.dtype === 'int64' || tensor.dtype === 'uint64') putWide(writer, tensor.data)
  else putNarrow(writer, tensor.data)
  putEmbedded(writer, field, since)
}

function putWide(writer: ProtoWriter, data: BigInt64Array | BigUint64Array): void {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length * 2)
  for (let at = words.length - 2; at >= 0; at -= 2) putWords(writer, words[at] ?? 0, words[at + 1] ?? 0)
}

type NarrowData = Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array

/** What is below zero is written with 64 bits. Source: protobuf.dev, "Encoding", "Signed Integers". */
function putNarrow(writer: ProtoWriter, data: NarrowData): void {
  for (let index = data.length - 1; index >= 0; index -= 1) {
    const value = data[index] ?? 0
    if (value < 0) putWords(writer, value >>> 0, 0xffffffff)
    else putVarint(writer, value)
  }
}
