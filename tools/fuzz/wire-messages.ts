/** Messages as they stand on the wire (PROTOCOL-HTTP2.md, "Length-Prefixed-Message"). */
export interface WireMessages {
  readonly messages: readonly Buffer[]
  /** No message is compressed or cut off, or says that it is. */
  readonly isWhole: boolean
}

/** Reads messages up to the first that is not whole, or compressed. */
export function readWire(bytes: Buffer): WireMessages {
  const messages: Buffer[] = []
  let at = 0
  while (at + 5 <= bytes.length) {
    const end = at + 5 + bytes.readUInt32BE(at + 1)
    if (bytes[at] !== 0 || end > bytes.length) break
    messages.push(bytes.subarray(at + 5, end))
    at = end
  }
  return { messages, isWhole: at === bytes.length }
}
