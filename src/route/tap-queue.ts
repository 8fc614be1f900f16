import { type Tap, toTapBytes } from './tap.ts'

const PROBLEM = 'Cannot record the answer: too many wait to be recorded'
/** Share of the memory up to which taps keep their bodies. */
const BODIES_SHARE = 0.75

/** Taps that wait to be read, first in first out, within a bound of bytes. */
export class TapQueue {
  readonly #maxBytes: number
  #taps: Tap[] = []
  /** Taps before this index were taken out. */
  #first = 0
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get length(): number {
    return this.#taps.length - this.#first
  }

  /** Takes a tap in: whole, without its bodies where memory is short, or not at all. */
  push(tap: Tap): 'whole' | 'without-rows' | 'dropped' {
    const bytes = toTapBytes(tap)
    if (this.#bytes + bytes <= this.#maxBytes * BODIES_SHARE) {
      this.#add(tap, bytes)
      return 'whole'
    }
    const lean: Tap = { ...tap, request: undefined, answer: undefined, problem: PROBLEM }
    if (this.#bytes + toTapBytes(lean) > this.#maxBytes) return 'dropped'
    this.#add(lean, toTapBytes(lean))
    return 'without-rows'
  }

  /** Takes the oldest tap out; undefined where there is none. */
  shift(): Tap | undefined {
    const tap = this.#taps[this.#first]
    if (tap === undefined) {
      this.#taps = []
      this.#first = 0
      return undefined
    }
    this.#first += 1
    this.#bytes -= toTapBytes(tap)
    if (this.#first >= 1024) {
      this.#taps = this.#taps.slice(this.#first)
      this.#first = 0
    }
    return tap
  }

  #add(tap: Tap, bytes: number): void {
    this.#taps.push(tap)
    this.#bytes += bytes
  }
}
