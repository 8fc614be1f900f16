import { toUniform } from '../../src/judge/testing/random.ts'

/** Chance that can be had again: the same numbers for the same seed and name. */
export class Draw {
  readonly #next: () => number

  constructor(seed: number, name: string) {
    this.#next = toUniform(toHash(`${seed} ${name}`))
  }

  /** A whole number from 0 to below `count`. */
  below(count: number): number {
    return Math.floor(this.#next() * count)
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  /** True in `share` of the draws, 0–1. */
  chance(share: number): boolean {
    return this.#next() < share
  }

  /** One of these; there must be one. */
  pick<item>(items: readonly [item, ...item[]] | readonly item[]): item {
    return items[this.below(items.length)] as item
  }

  /** So many bytes. */
  bytes(length: number): Buffer {
    return Buffer.from(Uint8Array.from({ length }, () => this.below(256)))
  }
}

/** FNV-1a, 32 bits. */
function toHash(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}
