/** How many rows a batch may have, learned from what runs cost. */
export interface BatchSize {
  /** Rows from which on a batch is full now. */
  readonly maxRows: number
  /** Takes in that a run of so many rows took so long. */
  learn(rows: number, runMs: number): void
}

/** What bounds the learning. */
export interface BatchBounds {
  readonly maxRows: number
  /** A run that is expected to take longer is not asked for, ms: others wait meanwhile. */
  readonly maxRunMs: number
}

/**
 * A run this short keeps nobody waiting, and spares what surrounds each run: it need not prove a gain, which a busy
 * machine hides. A batch too large costs its first requests less than this; one too small costs throughput.
 */
const SHORT_MS = 4
/** Of longer ones, doubling the rows must make a row cheaper by this fraction, or it only makes answers later. */
const WORTHWHILE = 0.05
/** A cost that was not reached again counts for this much more at each later run of its size: machines change. */
const FORGETTING = 1.01
/** After so many runs one of the next size is tried again. */
const TRY_EVERY = 256

/**
 * Finds the size at which a row's cost is flat: sizes double from 1 while runs are short, or a row gets cheaper by it.
 * The cost of a size is the least of late, for a busy machine only ever adds to it.
 */
export function toBatchSize({ maxRows, maxRunMs }: BatchBounds): BatchSize {
  const sizes = toSizes(maxRows)
  const rowMs = new Array<number | undefined>(sizes.length).fill(undefined)
  let flatAt = findFlat()
  let runs = 0
  return {
    get maxRows() {
      const isTry = runs % TRY_EVERY === TRY_EVERY - 1 && isAllowed(flatAt + 1)
      return sizes[isTry ? flatAt + 1 : flatAt] ?? 1
    },
    learn(rows, runMs) {
      runs += 1
      const at = findSize(rows)
      rowMs[at] = Math.min(runMs / rows, (rowMs[at] ?? Number.POSITIVE_INFINITY) * FORGETTING)
      flatAt = findFlat()
    },
  }

  /** The largest size that is worth its step; one that was never run is worth trying. */
  function findFlat(): number {
    let best = 0
    for (const [at, size] of sizes.entries()) {
      const cost = rowMs[at]
      const before = rowMs[at - 1] ?? Number.POSITIVE_INFINITY
      if (at > 0 && !isAllowed(at)) break
      if (cost === undefined) return at
      if (at > 0 && cost * size > SHORT_MS && cost > before * (1 - WORTHWHILE)) break
      best = at
    }
    return best
  }

  /** Whether a run of a size can be expected to end in time; where it was never run, by the row's cost one size below. */
  function isAllowed(at: number): boolean {
    const size = sizes[at]
    const cost = rowMs[at] ?? rowMs[at - 1] ?? 0
    return size !== undefined && cost * size <= maxRunMs
  }

  function findSize(rows: number): number {
    let at = 0
    while ((sizes[at + 1] ?? Number.POSITIVE_INFINITY) <= rows) at += 1
    return at
  }
}

/** 1, 2, 4, … and the largest size itself. */
export function toSizes(maxRows: number): readonly number[] {
  const sizes: number[] = []
  for (let size = 1; size < maxRows; size *= 2) sizes.push(size)
  return [...sizes, maxRows]
}
