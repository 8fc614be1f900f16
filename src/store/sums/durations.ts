/** Buckets per doubling: two neighbours are 19 % apart. */
const PER_DOUBLING = 4
/** What is shorter counts as this, ms. */
const SHORTEST_MS = 0.001

/** How many durations fell into a bucket. */
export interface BucketCount {
  readonly bucket: number
  readonly count: number
}

/** The bucket of a duration, ms: bucket b reaches from 2^(b/4) up to before 2^((b+1)/4). */
export function toBucket(ms: number): number {
  return Math.floor(Math.log2(Math.max(SHORTEST_MS, ms)) * PER_DOUBLING)
}

/** Where a bucket begins and ends, ms. */
export function toBucketBounds(bucket: number): { readonly fromMs: number; readonly upToMs: number } {
  return { fromMs: 2 ** (bucket / PER_DOUBLING), upToMs: 2 ** ((bucket + 1) / PER_DOUBLING) }
}

/**
 * The duration, ms, that a share (0–1) of those counted does not exceed, to the middle of its bucket: at most 9 % off.
 * Undefined of none. A bucket may be counted in parts.
 */
export function toDurationMs(buckets: readonly BucketCount[], share: number): number | undefined {
  const sorted = [...buckets].filter(({ count }) => count > 0).sort((left, right) => left.bucket - right.bucket)
  const wanted = Math.max(1, Math.ceil(share * sorted.reduce((sum, { count }) => sum + count, 0)))
  let seen = 0
  for (const { bucket, count } of sorted) {
    seen += count
    if (seen >= wanted) return 2 ** ((bucket + 0.5) / PER_DOUBLING)
  }
  return undefined
}
