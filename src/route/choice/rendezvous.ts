/** Something that can be chosen with a probability in proportion to its weight (0 or more). */
export interface Weighted {
  /** Stays the same as long as choices shall stick to it. */
  readonly id: number | string
  readonly weight: number
}

/**
 * Chooses the same item for the same key, each item for its weight's share of all keys. When weights change, a key
 * moves only to an item whose share grew or from one whose share shrank: no more keys move than must.
 *
 * Source: weighted rendezvous hashing with score −w / ln(h); Schindelhauer and Schomaker 2005, "Weighted distributed
 * hash tables", logarithmic method. Returns undefined where no item has a weight.
 */
export function chooseByKey<item extends Weighted>(items: readonly item[], key: string): item | undefined {
  let best: item | undefined
  let bestScore = 0
  for (const item of items) {
    // That of one without a weight is 0.
    const score = item.weight / -Math.log(toUnitHash(`${item.id}/${key}`))
    if (score <= bestScore) continue
    best = item
    bestScore = score
  }
  return best
}

/** Chooses by weight, given a number within [0, 1). Returns undefined where no item has a weight. */
export function chooseByWeight<item extends Weighted>(items: readonly item[], fraction: number): item | undefined {
  let left = fraction * toTotalWeight(items)
  let last: item | undefined
  for (const item of items) {
    if (item.weight <= 0) continue
    last = item
    left -= item.weight
    if (left < 0) return item
  }
  // Rounding may leave a crumb past the last item.
  return last
}

/** The sum of the weights. */
export function toTotalWeight(items: readonly Weighted[]): number {
  return items.reduce((total, item) => total + item.weight, 0)
}

/** Hashes text to a number strictly between 0 and 1 with 53 uniform bits: two lanes of MurmurHash3's 32-bit mixing. */
function toUnitHash(text: string): number {
  let a = 0x9747b28c
  let b = 0x3c6ef372
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    a = mix(a ^ unit)
    b = mix(b + unit)
  }
  const high = mix(a ^ text.length) >>> 5
  const low = mix(b ^ a) >>> 6
  return (high * 0x4000000 + low + 0.5) / 0x20000000000000
}

/** The 32-bit finaliser of MurmurHash3 (Appleby, public domain). */
function mix(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
