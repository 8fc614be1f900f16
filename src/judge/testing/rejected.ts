/*
 * Ways to a standard error of dependent numbers that the race does not use, because they hold too little: what the
 * tables of docs/judge-validation.md compare with.
 */

/** A series that grows by one number at a time; NaN where there is too little of it. */
export interface SeriesError {
  readonly add: (x: number) => void
  readonly mean: () => number
  readonly se: () => number
}

/** Means of blocks whose length doubles whenever there would be more than `most` of them. */
export function makeDoublingBatchMeans(most: number): SeriesError {
  let [length, open, parts] = [1, 0, 0]
  let means: number[] = []
  let [sum, squares] = [0, 0]
  const merge = (): void => {
    const tail = means.length % 2 === 1 ? means.at(-1) : undefined
    means = Array.from({ length: means.length >> 1 }, (_, i) => ((means[2 * i] ?? 0) + (means[2 * i + 1] ?? 0)) / 2)
    // A block without a partner is the first half of the open one.
    if (tail !== undefined) [open, parts] = [open + tail * length, parts + length]
    length *= 2
    sum = means.reduce((total, mean) => total + mean, 0)
    squares = means.reduce((total, mean) => total + mean * mean, 0)
  }
  return {
    add(x) {
      open += x
      parts += 1
      if (parts < length) return
      const mean = open / length
      ;[open, parts] = [0, 0]
      means.push(mean)
      sum += mean
      squares += mean * mean
      if (means.length > most) merge()
    },
    mean: () => sum / means.length,
    se: () => toError(means.length, sum, squares),
  }
}

/** Means of blocks of one length. */
export function makeFixedBlocks(length: number): SeriesError {
  let [open, parts, count, sum, squares] = [0, 0, 0, 0, 0]
  return {
    add(x) {
      open += x
      parts += 1
      if (parts < length) return
      const mean = open / length
      ;[open, parts] = [0, 0]
      count += 1
      sum += mean
      squares += mean * mean
    },
    mean: () => sum / count,
    se: () => toError(count, sum, squares),
  }
}

/**
 * The long-run variance by Bartlett weights over 2 n^⅓ lags, for series of up to `longest` numbers.
 *
 * Source: Newey, West 1987, "A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent
 * covariance matrix", Econometrica 55(3).
 */
export function makeHac(longest: number): SeriesError {
  const most = Math.floor(2 * Math.cbrt(longest))
  const products = new Float64Array(most + 1)
  const series = new Float64Array(longest)
  const sums = new Float64Array(longest + 1)
  let n = 0
  const toCovariance = (lag: number, mean: number): number => {
    const total = sums[n] ?? 0
    const late = total - (sums[lag] ?? 0)
    return (products[lag] ?? 0) - mean * (late + (sums[n - lag] ?? 0)) + (n - lag) * mean * mean
  }
  return {
    add(x) {
      series[n] = x
      sums[n + 1] = (sums[n] ?? 0) + x
      for (let lag = 0; lag <= Math.min(most, n); lag++)
        products[lag] = (products[lag] ?? 0) + x * (series[n - lag] ?? 0)
      n += 1
    },
    mean: () => (sums[n] ?? 0) / n,
    se() {
      const mean = (sums[n] ?? 0) / n
      const lags = Math.min(n - 1, Math.floor(2 * Math.cbrt(n)))
      let total = toCovariance(0, mean)
      for (let lag = 1; lag <= lags; lag++) total += 2 * (1 - lag / (lags + 1)) * toCovariance(lag, mean)
      return Math.sqrt(Math.max(0, total)) / n
    },
  }
}

function toError(count: number, sum: number, squares: number): number {
  return count < 2 ? Number.NaN : Math.sqrt(Math.max(0, squares - (sum * sum) / count) / ((count - 1) * count))
}
