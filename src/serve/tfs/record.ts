import { toCrc32c } from '../../core/crc32c.ts'

/** Says that bytes are no TFRecord file, and where that shows. */
export class RecordError extends Error {}

/**
 * Reads the records of a TFRecord file, as views of its bytes.
 *
 * | bytes | content, little-endian |
 * |---|---|
 * | 8 | length of the data |
 * | 4 | masked CRC-32C of these 8 bytes |
 * | length | data |
 * | 4 | masked CRC-32C of the data |
 *
 * Source: tensorflow/core/lib/io/record_writer.h.
 * @throws RecordError where the file is damaged, or has more than `maxRecords`
 */
export function parseRecords(bytes: Uint8Array, maxRecords: number): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records: Uint8Array[] = []
  let at = 0
  while (at < bytes.length) {
    if (records.length === maxRecords) throw new RecordError(`more than ${maxRecords} records`)
    if (at + HEAD_BYTES > bytes.length) throw new RecordError(`a record cut off at byte ${at}`)
    checkCrc(bytes.subarray(at, at + 8), view.getUint32(at + 8, true), at)
    const length = view.getBigUint64(at, true)
    const start = at + HEAD_BYTES
    if (length > BigInt(bytes.length - start - CRC_BYTES)) throw new RecordError(`a record cut off at byte ${at}`)
    const end = start + Number(length)
    const data = bytes.subarray(start, end)
    checkCrc(data, view.getUint32(end, true), start)
    records.push(data)
    at = end + CRC_BYTES
  }
  return records
}

const CRC_BYTES = 4
const HEAD_BYTES = 8 + CRC_BYTES

function checkCrc(bytes: Uint8Array, masked: number, at: number): void {
  if (toMaskedCrc(bytes) !== masked) throw new RecordError(`a wrong checksum of the bytes from ${at} on`)
}

/** The checksum of bytes that may hold checksums themselves (tensorflow/core/lib/hash/crc32c.h, `Mask`). */
export function toMaskedCrc(bytes: Uint8Array): number {
  const crc = toCrc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
