/** Longer words are compared by their first letters only: the table below has length² cells. */
const MAX_LENGTH = 100

/**
 * Finds the candidate most like a word, for "did you mean …?"; undefined where none is near.
 * Near is a third of the word's letters, and at least one.
 */
export function findNearest(word: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3))
  const ranked = candidates
    .map(candidate => ({ candidate, edits: countEdits(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)
  const best = ranked[0]
  return best !== undefined && best.edits <= limit ? best.candidate : undefined
}

/**
 * Counts the letters to insert, delete, replace or swap with their neighbour to make `a` into `b`.
 * Source: optimal string alignment, Boytsov 2011, "Indexing methods for approximate dictionary searching".
 */
export function countEdits(a: string, b: string): number {
  const left = a.slice(0, MAX_LENGTH)
  const right = b.slice(0, MAX_LENGTH)
  let beforeLast: readonly number[] = []
  let last = Array.from({ length: right.length + 1 }, (_, j) => j)
  for (let i = 1; i <= left.length; i++) {
    const row = [i]
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1]
      const swapped = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]
      row[j] = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (beforeLast[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    beforeLast = last
    last = row
  }
  return last[right.length] ?? 0
}
