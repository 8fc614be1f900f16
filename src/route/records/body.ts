import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib'
import type { TapBody } from './tap.ts'

/** A body that has been read: its JSON, and the tensors that stand behind it in V2's binary extension. */
export interface ParsedBody {
  readonly text: string
  readonly json: unknown
  readonly binary: Uint8Array
}

type Inflate = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array

// RFC 9110, section 8.4.1; RFC 8878 for zstd. Some send "deflate" without the zlib wrapper that it should have.
const INFLATE: Readonly<Record<string, Inflate>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: (bytes, options) => (((bytes[0] ?? 0) & 0x0f) === 8 ? inflateSync : inflateRawSync)(bytes, options),
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
}

/**
 * Inflates and parses a body; without `isJson` only its text is wanted. Throws where it is not what it says, or longer
 * than `maxBytes` once it is inflated.
 */
export function parseBody(body: TapBody, maxBytes: number, isJson = true): ParsedBody {
  const plain = toPlain(body, maxBytes)
  const jsonBytes = body.jsonBytes ?? plain.byteLength
  if (!(jsonBytes > 0 && jsonBytes <= plain.byteLength) && isJson)
    throw new Error(`Cannot read the body: expected JSON within its ${plain.byteLength} bytes, found ${jsonBytes}`)
  const text = Buffer.from(plain.buffer, plain.byteOffset, jsonBytes).toString('utf8')
  return { text, json: isJson ? parseJson(text) : undefined, binary: plain.subarray(jsonBytes) }
}

const TEXT_OR_SPECIAL = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g
const MARK = '\0number '

/** Reads JSON with the numbers that TensorFlow Serving writes and JSON has not. Throws where it is not such. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) throw error
    const marked = text.replaceAll(TEXT_OR_SPECIAL, found =>
      found.startsWith('"') ? found : JSON.stringify(MARK + found),
    )
    return JSON.parse(marked, (_key, value: unknown) =>
      typeof value === 'string' && value.startsWith(MARK) ? Number(value.slice(MARK.length)) : value,
    )
  }
}

function toPlain({ bytes, encoding }: TapBody, maxBytes: number): Uint8Array {
  if (encoding === undefined) return bytes
  if (!Object.hasOwn(INFLATE, encoding)) throw new Error(`Cannot read the body: it is encoded as ${encoding}`)
  return INFLATE[encoding]?.(bytes, { maxOutputLength: maxBytes }) ?? bytes
}
