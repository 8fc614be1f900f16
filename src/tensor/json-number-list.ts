import { type JsonNumber, type JsonNumbers, NO_EXACT } from './json-node.ts'

/** Numbers as they are read, one after the other. */
export class JsonNumberList {
  readonly values: number[] = []
  #firstDecimal = -1
  #farthestInteger = -1
  #farthest = -1
  #exact: Map<number, bigint> | undefined

  /** Adds a number that was written with a fraction or an exponent, or is no integer of 64 bits. */
  addDecimal(value: number): void {
    this.noteDecimal()
    this.values.push(value)
  }

  /** What is put into `values` next is such a number. */
  noteDecimal(): void {
    if (this.#firstDecimal === -1) this.#firstDecimal = this.values.length
  }

  /** Adds an integer, with its exact value where that is beyond ±(2^53 - 1). */
  addInteger(value: number, exact?: bigint): void {
    const index = this.values.length
    if (Math.abs(value) > this.#farthest) {
      this.#farthest = Math.abs(value)
      this.#farthestInteger = index
    }
    if (exact !== undefined) {
      this.#exact ??= new Map()
      this.#exact.set(index, exact)
    }
    this.values.push(value)
  }

  /** What was added, as a list. */
  toNumbers(): JsonNumbers {
    return {
      kind: 'numbers',
      values: this.values,
      firstDecimal: this.#firstDecimal,
      farthestInteger: this.#farthestInteger,
      exact: this.#exact ?? NO_EXACT,
    }
  }

  /** The first that was added, by itself. */
  toNumber(): JsonNumber {
    const [value = 0] = this.values
    return { kind: 'number', value, isInteger: this.#firstDecimal !== 0, exact: this.#exact?.get(0) }
  }
}
