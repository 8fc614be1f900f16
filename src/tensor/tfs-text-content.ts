import { TensorError } from './errors.ts'
import { type ProtoCursor, readUnsigned } from './proto-cursor.ts'
import { openWriter, putVarint, toMessage } from './proto-writer.ts'
import { parseElementText } from './raw.ts'

/**
 * Reads the texts of a `tensor_content`: the lengths of all as varints, then the bytes of all.
 * Source: tensorflow/core/platform/tensor_coding.cc, `EncodeStringList`.
 * @throws TENSOR_MESSAGE, TENSOR_SHAPE, TENSOR_VALUE
 */
export function parseTextContent(content: ProtoCursor, count: number): readonly string[] {
  // One byte is the least that a length takes: nothing is made for more texts than there are bytes.
  if (count > content.end - content.at) throw toContentError(`the lengths of ${count} texts`, content)
  const lengths = Array.from({ length: count }, () => Number(readUnsigned(content)))
  const size = lengths.reduce((sum, length) => sum + length, 0)
  if (size !== content.end - content.at) throw toContentError(`${size} bytes of ${count} texts`, content)
  let at = content.at
  return lengths.map(length => {
    at += length
    return parseElementText(content.bytes, at - length, at)
  })
}

/** Writes texts as `parseTextContent` reads them. */
export function toTextContent(texts: readonly string[]): Uint8Array {
  const parts = texts.map(text => Buffer.from(text))
  const lengths = openWriter(texts.length)
  for (let index = parts.length - 1; index >= 0; index -= 1) putVarint(lengths, parts[index]?.length ?? 0)
  return Buffer.concat([toMessage(lengths), ...parts])
}

function toContentError(wanted: string, content: ProtoCursor): TensorError {
  const left = content.end - content.at
  return new TensorError('TENSOR_SHAPE', `Cannot read tensor_content: expected ${wanted}, found ${left} bytes`)
}
