/** Draws the next number, evenly spread over [low, high). */
export type Random = (low: number, high: number) => number

/**
 * Makes a generator whose numbers are the same on every machine: xoshiro128**, started from `seed` and `stream`
 * (integers below 2^32), so that stream 7 of seed 1 has nothing to do with stream 8 of seed 1.
 *
 * Source: Blackman and Vigna 2021, "Scrambled Linear Pseudorandom Number Generators", ACM TOMS 47(4).
 */
export function toRandom(seed: number, stream = 0): Random {
  const start = mix(mix(seed) ^ Math.imul(stream, WEYL))
  const next = toXoshiro([1, 2, 3, 4].map(i => mix(start + Math.imul(i, WEYL))))
  return (low, high) => low + ((high - low) * next()) / 2 ** 32
}

/** The bare xoshiro128** from its four words of state; draws integers from 0 to 2^32 - 1. */
export function toXoshiro([a = 0, b = 0, c = 0, d = 0]: readonly number[]): () => number {
  return () => {
    const drawn = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return drawn
  }
}

/** 2^32 divided by the golden ratio: consecutive multiples lie far apart. */
const WEYL = 0x9e3779b9

const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))

/** Spreads every bit of a word over all 32: the finaliser of MurmurHash3 (Appleby, public domain). */
function mix(word: number): number {
  const half = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  const whole = Math.imul(half ^ (half >>> 13), 0xc2b2ae35)
  return (whole ^ (whole >>> 16)) >>> 0
}
