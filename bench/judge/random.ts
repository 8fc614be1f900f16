/** Random numbers that are the same for the same seed. */
export interface Random {
  /** In [0, 1). */
  readonly uniform: () => number
  /** Standard normal. */
  readonly normal: () => number
}

/**
 * A stream of random numbers.
 *
 * Source: Blackman, Vigna 2021, "Scrambled linear pseudorandom number generators", ACM TOMS 47(4) (xoshiro128++,
 * 32 bits of it a number); normal numbers by the polar method of Marsaglia, Bray 1964.
 */
export function makeRandom(seed: number): Random {
  let [a, b, c, d] = [0, 1, 2, 3].map(part => scramble(seed * 4 + part)) as [number, number, number, number]
  let spare = Number.NaN
  const uniform = (): number => {
    const sum = (a + d) | 0
    const result = (((sum << 7) | (sum >>> 25)) + a) | 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return (result >>> 0) / 2 ** 32
  }
  const normal = (): number => {
    if (!Number.isNaN(spare)) {
      const value = spare
      spare = Number.NaN
      return value
    }
    for (;;) {
      const [x, y] = [2 * uniform() - 1, 2 * uniform() - 1]
      const square = x * x + y * y
      if (square >= 1 || square === 0) continue
      const scale = Math.sqrt((-2 * Math.log(square)) / square)
      spare = y * scale
      return x * scale
    }
  }
  return { uniform, normal }
}

/** Spreads neighbouring seeds (Steele, Lea, Flood 2014, SplitMix; 32-bit form). */
function scramble(seed: number): number {
  const start = Math.imul(seed + 1, 0x9e3779b9)
  let mixed = Math.imul(start ^ (start >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return mixed ^ (mixed >>> 15)
}
