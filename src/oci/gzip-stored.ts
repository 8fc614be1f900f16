import { crc32 } from 'node:zlib'

/*
 * gzip (RFC 1952) made of stored deflate blocks (RFC 1951, section 3.2.4): nothing is compressed.
 *
 *   1f 8b 08 00 | mtime 4 = 0 | xfl = 0 | os = ff (unknown)
 *   blocks: 00 | LEN 2, little endian | ~LEN 2 | LEN bytes          (LEN ≤ 65535)
 *   last:   01 | 0000 | ffff
 *   crc32 4 | length modulo 2³² 4
 *
 * Trained weights barely compress, so this costs one copy and one crc32, every client reads it, and the bytes
 * do not depend on a version of zlib.
 */

const HEADER = Uint8Array.of(0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0xff)
const LAST_BLOCK = Uint8Array.of(0x01, 0, 0, 0xff, 0xff)
const BLOCK_HEADER_BYTES = 5
const MAX_BLOCK_BYTES = 65_535
/** Blocks gathered into one chunk of the output: about 1 MiB. */
const CHUNK_BLOCKS = 16

/** Wraps bytes as gzip without compressing; the output does not depend on how the input is cut. Constant memory. */
export async function* gzipStored(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let checksum = 0
  let length = 0
  const filling = Buffer.allocUnsafe(CHUNK_BLOCKS * MAX_BLOCK_BYTES)
  let filled = 0
  yield HEADER
  for await (const chunk of chunks) {
    checksum = crc32(chunk, checksum)
    length += chunk.byteLength
    for (let start = 0; start < chunk.byteLength; ) {
      const part = chunk.subarray(start, start + filling.byteLength - filled)
      filling.set(part, filled)
      filled += part.byteLength
      start += part.byteLength
      if (filled < filling.byteLength) continue
      yield toBlocks(filling)
      filled = 0
    }
  }
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(checksum, 0)
  trailer.writeUInt32LE(length % 2 ** 32, 4)
  yield Buffer.concat([toBlocks(filling.subarray(0, filled)), LAST_BLOCK, trailer])
}

function toBlocks(bytes: Buffer): Buffer {
  const count = Math.ceil(bytes.byteLength / MAX_BLOCK_BYTES)
  const blocks = Buffer.allocUnsafe(bytes.byteLength + count * BLOCK_HEADER_BYTES)
  for (let index = 0; index < count; index++) {
    const part = bytes.subarray(index * MAX_BLOCK_BYTES, (index + 1) * MAX_BLOCK_BYTES)
    const offset = index * (BLOCK_HEADER_BYTES + MAX_BLOCK_BYTES)
    blocks.writeUInt8(0, offset)
    blocks.writeUInt16LE(part.byteLength, offset + 1)
    blocks.writeUInt16LE(part.byteLength ^ 0xffff, offset + 3)
    blocks.set(part, offset + BLOCK_HEADER_BYTES)
  }
  return blocks
}
