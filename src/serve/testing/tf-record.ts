import { toMaskedCrc } from '../tfs/record.ts'

/** A record of a TFRecord file. */
export function toRecord(data: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(data.length))
  return Buffer.concat([length, toCrcBytes(length), data, toCrcBytes(data)])
}

function toCrcBytes(bytes: Uint8Array): Uint8Array {
  const crc = Buffer.alloc(4)
  crc.writeUInt32LE(toMaskedCrc(bytes))
  return crc
}
