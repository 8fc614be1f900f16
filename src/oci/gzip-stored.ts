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
const TRAILER_BYTES = 8
/** Blocks gathered into one chunk of the output: about 1 MiB. */
const CHUNK_BLOCKS = 16

/**
 * Wraps bytes as gzip without compressing; the output does not depend on how the input is cut. Memory is used again:
 * a chunk holds what it says until the next one is asked for.
 */
export async function* gzipStored(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  // Loaded late: most commands write no layer.
  const { crc32 } = await import('node:zlib')
  let checksum = 0
  let length = 0
  const full = makeBlocks()
  let filled = 0
  yield HEADER
  for await (const chunk of chunks) {
    checksum = crc32(chunk, checksum)
    length += chunk.byteLength
    for (let start = 0; start < chunk.byteLength; ) {
      const inBlock = filled % MAX_BLOCK_BYTES
      const part = chunk.subarray(start, start + MAX_BLOCK_BYTES - inBlock)
      full.set(part, toOffset(filled))
      filled += part.byteLength
      start += part.byteLength
      if (filled < CHUNK_BLOCKS * MAX_BLOCK_BYTES) continue
      yield full
      filled = 0
    }
  }
  const trailer = Buffer.alloc(TRAILER_BYTES)
  trailer.writeUInt32LE(checksum, 0)
  trailer.writeUInt32LE(length % 2 ** 32, 4)
  yield Buffer.concat([endBlocks(full, filled), LAST_BLOCK, trailer])
}

/** Length of what `gzipStored` makes of so many bytes. */
export function toStoredBytes(length: number): number {
  const blocks = Math.ceil(length / MAX_BLOCK_BYTES)
  return HEADER.byteLength + blocks * BLOCK_HEADER_BYTES + length + LAST_BLOCK.byteLength + TRAILER_BYTES
}

/** Where the byte of a number of content goes in a chunk, after the headers up to its block. */
function toOffset(filled: number): number {
  return filled + BLOCK_HEADER_BYTES * (Math.floor(filled / MAX_BLOCK_BYTES) + 1)
}

/** Room for a chunk of full blocks, with their headers. */
function makeBlocks(): Buffer {
  const blocks = Buffer.allocUnsafe(CHUNK_BLOCKS * (BLOCK_HEADER_BYTES + MAX_BLOCK_BYTES))
  for (let index = 0; index < CHUNK_BLOCKS; index++) {
    writeHeader(blocks, index * (BLOCK_HEADER_BYTES + MAX_BLOCK_BYTES), MAX_BLOCK_BYTES)
  }
  return blocks
}

/** The blocks of a chunk that is not full, the last of which may be shorter. */
function endBlocks(blocks: Buffer, filled: number): Buffer {
  const last = filled % MAX_BLOCK_BYTES
  if (last > 0) writeHeader(blocks, toOffset(filled - last) - BLOCK_HEADER_BYTES, last)
  return blocks.subarray(0, last > 0 ? toOffset(filled) : toOffset(filled) - BLOCK_HEADER_BYTES)
}

function writeHeader(blocks: Buffer, offset: number, length: number): void {
  blocks.writeUInt8(0, offset)
  blocks.writeUInt16LE(length, offset + 1)
  blocks.writeUInt16LE(length ^ 0xffff, offset + 3)
}
