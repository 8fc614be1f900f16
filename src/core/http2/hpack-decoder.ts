import { H2Error } from './errors.ts'
import { decodeHuffman } from './hpack-huffman.ts'
import { type HpackField, HpackTable, toFieldBytes } from './hpack-table.ts'

/*
 * The first byte of each entry of a block (RFC 7541, section 6); the low bits begin an integer:
 *
 *   1.......   a field of the table                 index in 7 bits
 *   01......   a literal that enters the table      name's index in 6 bits, 0 where the name follows
 *   001.....   another size of the table            size in 5 bits
 *   0000....   a literal                            name's index in 4 bits
 *   0001....   a literal that must never enter one  name's index in 4 bits
 */
const INDEXED = 0x80
const ENTERING = 0x40
const RESIZING = 0x20
/** Before the length of a text: its bytes are a Huffman code. */
const HUFFMAN = 0x80

/** Unless another is told, as large as HTTP/2 says (RFC 9113, section 6.5.2). */
const TABLE_BYTES = 4096
/** Bytes of an integer behind its prefix: no number here needs more. */
const MAX_INTEGER_BYTES = 4
/** The table may be resized as often before the first field of a block (RFC 7541, section 4.2). */
const MAX_RESIZES = 2

/** The fields of a block. */
export interface HpackBlock {
  readonly fields: readonly HpackField[]
  /** There were more than the limit; the others were read, for the table, and are not here. */
  readonly isTooLong: boolean
  /** It left the table as it was, so the same bytes mean the same until another changes it. */
  readonly isRepeatable: boolean
}

/** Reads the blocks of one connection, in the order in which they come. */
export class HpackDecoder {
  readonly #maxListBytes: number
  readonly #table = new HpackTable(TABLE_BYTES)
  #block: Buffer = Buffer.alloc(0)
  #at = 0

  /** A block's fields are given up to `maxListBytes`: names, values and 32 bytes for each. */
  constructor(maxListBytes: number) {
    this.#maxListBytes = maxListBytes
  }

  /** @throws H2Error COMPRESSION_ERROR; no other block can be read then */
  decode(block: Buffer): HpackBlock {
    this.#block = block
    this.#at = 0
    const fields: HpackField[] = []
    const isResized = this.#takeResizes()
    let isRepeatable = !isResized
    let bytes = 0
    while (this.#at < block.length) {
      if ((this.#peek() & (INDEXED | ENTERING)) === ENTERING) isRepeatable = false
      const field = this.#takeField()
      bytes += toFieldBytes(field)
      if (bytes <= this.#maxListBytes) fields.push(field)
    }
    return { fields, isTooLong: bytes > this.#maxListBytes, isRepeatable }
  }

  #peek(): number {
    return this.#block[this.#at] ?? 0
  }

  #takeResizes(): boolean {
    let resizes = 0
    while (this.#at < this.#block.length && this.#peek() >>> 5 === 1) {
      if (resizes === MAX_RESIZES) throw new H2Error('COMPRESSION_ERROR', 'A block resizes its table too often')
      resizes += 1
      this.#table.resize(this.#takeInteger(RESIZING - 1))
    }
    return resizes > 0
  }

  #takeField(): HpackField {
    const byte = this.#peek()
    if ((byte & INDEXED) !== 0) return this.#table.readField(this.#takeInteger(INDEXED - 1))
    if ((byte & ENTERING) !== 0) {
      const field = this.#takeLiteral(ENTERING - 1)
      this.#table.add(field)
      return field
    }
    if ((byte & RESIZING) !== 0) throw new H2Error('COMPRESSION_ERROR', 'A block resizes its table after a field')
    return this.#takeLiteral(0x0f)
  }

  #takeLiteral(mask: number): HpackField {
    const index = this.#takeInteger(mask)
    const name = index === 0 ? this.#takeText() : this.#table.readField(index).name
    return { name, value: this.#takeText() }
  }

  #takeText(): string {
    const isHuffman = (this.#peek() & HUFFMAN) !== 0
    const length = this.#takeInteger(HUFFMAN - 1)
    const start = this.#at
    if (length > this.#block.length - start) throw toCut()
    this.#at += length
    return isHuffman
      ? decodeHuffman(this.#block.subarray(start, this.#at))
      : this.#block.toString('latin1', start, this.#at)
  }

  /** An integer whose prefix is in the bits of `mask` (RFC 7541, section 5.1). */
  #takeInteger(mask: number): number {
    const byte = this.#block[this.#at]
    if (byte === undefined) throw toCut()
    this.#at += 1
    const prefix = byte & mask
    return prefix < mask ? prefix : this.#takeLongInteger(mask)
  }

  #takeLongInteger(prefix: number): number {
    let value = prefix
    for (let count = 0; count < MAX_INTEGER_BYTES; count += 1) {
      const byte = this.#block[this.#at]
      if (byte === undefined) throw toCut()
      this.#at += 1
      value += (byte & 0x7f) * 2 ** (7 * count)
      if (byte < 0x80) return value
    }
    throw new H2Error('COMPRESSION_ERROR', `A number of a block has more than ${MAX_INTEGER_BYTES} bytes`)
  }
}

function toCut(): H2Error {
  return new H2Error('COMPRESSION_ERROR', 'A block ends within a field')
}
