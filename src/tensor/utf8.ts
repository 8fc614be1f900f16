const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A name is shorter than this; calling the decoder costs more than reading so few letters. */
const SHORT = 32

/** Reads UTF-8 from one byte to before another, or undefined where those bytes are none. */
export function parseUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string | undefined {
  if (end - start < SHORT) {
    const text = parseAscii(bytes, start, end)
    if (text !== undefined) return text
  }
  try {
    return strict.decode(bytes.subarray(start, end))
  } catch {
    return undefined
  }
}

function parseAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = ''
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte > 0x7f) return undefined
    text += String.fromCharCode(byte)
  }
  return text
}
