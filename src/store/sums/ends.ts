/**
 * The smallest and the largest of some numbers, and how often each is there, so that one can be taken out again. With
 * `lows` and `highs` at 0 nothing is known: of no numbers, or because the last of an end was taken out.
 */
export interface Ends {
  readonly low: number
  readonly lows: number
  readonly high: number
  readonly highs: number
}

/** Those of no numbers. */
export const noEnds: Ends = { low: 0, lows: 0, high: 0, highs: 0 }

/** Puts in a number. */
export function widen(ends: Ends, x: number): Ends {
  return mergeEnds(ends, { low: x, lows: 1, high: x, highs: 1 })
}

/** Takes out a number that was put in. */
export function narrow({ low, lows, high, highs }: Ends, x: number): Ends {
  return { low, lows: x === low ? lows - 1 : lows, high, highs: x === high ? highs - 1 : highs }
}

/** The ends of two lots together. */
export function mergeEnds(left: Ends, right: Ends): Ends {
  const [low, lows] = mergeEnd([left.low, left.lows], [right.low, right.lows], Math.min)
  const [high, highs] = mergeEnd([left.high, left.highs], [right.high, right.highs], Math.max)
  return { low, lows, high, highs }
}

type End = readonly [x: number, count: number]

function mergeEnd(left: End, right: End, choose: (a: number, b: number) => number): End {
  if (left[1] === 0) return right
  if (right[1] === 0) return left
  const x = choose(left[0], right[0])
  return [x, (left[0] === x ? left[1] : 0) + (right[0] === x ? right[1] : 0)]
}
