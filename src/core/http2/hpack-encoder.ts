/*
 * No block enters a field in the peer's table, so each can be written, and kept, without knowing any other. An entry is
 * a literal without index (RFC 7541, section 6.2.2), its texts as they are.
 */
const LITERAL = 0
/** A length below it is one byte (RFC 7541, section 5.1). */
const PREFIX = 0x7f
const MAX_LENGTH_BYTES = 6

/** Says that no table is used: before the first block of a connection, whatever size its peer wants later. */
export const NO_TABLE: Uint8Array = Uint8Array.of(0x20)

/** A block of fields, whose characters are of one byte. */
export function encodeHpack(fields: Readonly<Record<string, string>>): Buffer {
  let most = 0
  for (const name in fields) most += 1 + 2 * MAX_LENGTH_BYTES + name.length + (fields[name]?.length ?? 0)
  const block = Buffer.allocUnsafe(most)
  let at = 0
  for (const name in fields) {
    block[at] = LITERAL
    at = writeText(block, at + 1, name)
    at = writeText(block, at, fields[name] ?? '')
  }
  return block.subarray(0, at)
}

/** Writes a text with its length before it. Returns where it ends. */
function writeText(into: Buffer, start: number, text: string): number {
  const at = writeLength(into, start, text.length)
  return at + into.write(text, at, 'latin1')
}

function writeLength(into: Buffer, at: number, length: number): number {
  if (length < PREFIX) {
    into[at] = length
    return at + 1
  }
  into[at] = PREFIX
  let end = at + 1
  let left = length - PREFIX
  for (; left >= 128; left >>>= 7) {
    into[end] = (left & 0x7f) | 0x80
    end += 1
  }
  into[end] = left
  return end + 1
}
