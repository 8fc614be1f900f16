import { H2Error } from './errors.ts'
import { STATIC_FIELDS } from './hpack-static.ts'

/** One field of a block, in characters of one byte. */
export interface HpackField {
  readonly name: string
  readonly value: string
}

/** What a field counts beside its texts (RFC 7541, section 4.1; RFC 9113, section 6.5.2). */
const FIELD_BYTES = 32

/** The bytes that a field counts for. */
export function toFieldBytes({ name, value }: HpackField): number {
  return name.length + value.length + FIELD_BYTES
}

const STATIC: readonly HpackField[] = STATIC_FIELDS.map(([name, value]) => ({ name, value }))

/** The fields that a block may name by their index. */
export class HpackTable {
  readonly #greatestBytes: number
  #maxBytes: number
  /** The newest is the last. */
  readonly #fields: HpackField[] = []
  #bytes = 0

  /** Its peer may make it smaller, and as large as this again. */
  constructor(greatestBytes: number) {
    this.#greatestBytes = greatestBytes
    this.#maxBytes = greatestBytes
  }

  /** The field of an index from 1 on. @throws H2Error where there is none */
  readField(index: number): HpackField {
    const field =
      index <= STATIC.length ? STATIC[index - 1] : this.#fields[this.#fields.length - (index - STATIC.length)]
    if (field === undefined) throw new H2Error('COMPRESSION_ERROR', `A block names field ${index}, which is not there`)
    return field
  }

  /** Enters a field, for which the oldest make room; one that is larger than the table empties it. */
  add(field: HpackField): void {
    const bytes = toFieldBytes(field)
    this.#evict(this.#maxBytes - bytes)
    if (bytes > this.#maxBytes) return
    this.#fields.push(field)
    this.#bytes += bytes
  }

  /** @throws H2Error where it is larger than was allowed */
  resize(maxBytes: number): void {
    if (maxBytes > this.#greatestBytes)
      throw new H2Error('COMPRESSION_ERROR', `A table of ${maxBytes} bytes: expected ${this.#greatestBytes} at most`)
    this.#maxBytes = maxBytes
    this.#evict(maxBytes)
  }

  #evict(maxBytes: number): void {
    while (this.#bytes > maxBytes) {
      const oldest = this.#fields.shift()
      if (oldest === undefined) return
      this.#bytes -= toFieldBytes(oldest)
    }
  }
}
