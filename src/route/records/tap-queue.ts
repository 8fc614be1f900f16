import { type Tap, toTapBytes } from './tap.ts'

const PROBLEM = 'Cannot record the answer: too many wait to be recorded'
/** Share of the memory up to which taps keep their bodies. */
const BODIES_SHARE = 0.75
const COMPRESSED_WEIGHT = 20

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
    const content = { ...tap.content, request: undefined, answer: undefined, problem: PROBLEM }
    const lean: Tap = { head: tap.head, content }
    if (this.#bytes + toTapBytes(lean) > this.#maxBytes) return 'dropped'
    this.#add(lean, toTapBytes(lean))
    return 'without-rows'
  }

  /** Takes the oldest taps out: at most `maxTaps`, and at least one, though it weigh more than `maxBytes`. */
  take(maxTaps: number, maxBytes: number): readonly Tap[] {
    const first = this.#first
    let bytes = 0
    let end = first
    while (end < this.#taps.length && end - first < maxTaps) {
      bytes += toWeight(this.#taps[end])
      if (end > first && bytes > maxBytes) break
      end += 1
    }
    const taken = this.#taps.slice(first, end)
    for (const tap of taken) this.#bytes -= toTapBytes(tap)
    this.#first = end
    if (this.#first >= 1024 || this.#first === this.#taps.length) {
      this.#taps = this.#taps.slice(this.#first)
      this.#first = 0
    }
    return taken
  }

  #add(tap: Tap, bytes: number): void {
    this.#taps.push(tap)
    this.#bytes += bytes
  }
}

/** What reading a tap may take: a body that is compressed may be many times longer than it is. */
function toWeight(tap: Tap | undefined): number {
  const isCompressed = tap?.content.request?.encoding !== undefined || tap?.content.answer?.encoding !== undefined
  return tap === undefined ? 0 : toTapBytes(tap) * (isCompressed ? COMPRESSED_WEIGHT : 1)
}
