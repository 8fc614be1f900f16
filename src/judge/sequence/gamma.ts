/** Euler's constant, γ. */
const EULER = 0.5772156649015329
/** (ζ(k) − 1) / k for k = 2, 3, …: the coefficients of DLMF 5.7.3. */
const NEAR_TWO = Array.from({ length: 40 }, (_, at) => toZetaMinusOne(at + 2) / (at + 2))
/** B₂ₖ / (2k (2k − 1)): the coefficients of DLMF 5.11.1. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400]
/** From here on Stirling's series is exact to the last digit. */
const LARGE = 10
const HALF_LN_TAU = 0.5 * Math.log(2 * Math.PI)

/**
 * Natural logarithm of the gamma function for x > 0, to about 1e-15 relative, also where it crosses 0 (at 1 and 2).
 *
 * Source: NIST DLMF 5.7.3 (series at 2), 5.5.1 (recurrence), 5.11.1 (Stirling's series).
 */
export function lnGamma(x: number): number {
  if (x >= LARGE) return (x - 0.5) * Math.log(x) - x + HALF_LN_TAU + toStirlingSeries(x)
  if (x < 0.5) return lnGamma(x + 1) - Math.log(x)
  if (x < 1.5) return toNearTwo(x - 1) - Math.log1p(x - 1)
  let rest = x
  let product = 1
  while (rest >= 2.5) {
    rest -= 1
    product *= rest
  }
  return toNearTwo(rest - 2) + Math.log(product)
}

/**
 * What Stirling's formula leaves out: ln Γ(x) − (x − ½) ln x + x − ½ ln 2π. Differences of this keep the digits that
 * differences of `lnGamma` lose for large arguments.
 *
 * Source: NIST DLMF 5.11.1.
 */
export function toStirlingRest(x: number): number {
  return x >= LARGE ? toStirlingSeries(x) : lnGamma(x) - ((x - 0.5) * Math.log(x) - x + HALF_LN_TAU)
}

/** λ − 1 − ln λ, with all digits near λ = 1. */
export function toLogGap(lambda: number): number {
  const off = lambda - 1
  if (Math.abs(off) > 0.1) return off - Math.log(lambda)
  let sum = 0
  for (let k = 18; k >= 2; k--) sum = (k % 2 === 0 ? 1 : -1) / k + off * sum
  return off * off * sum
}

/**
 * Natural logarithm of the regularised lower incomplete gamma function P(a, x), for a > 0 and x > 0. The work grows
 * with √a where x is near a.
 *
 * Source: NIST DLMF 8.7.1 (series, for x < a + 1) and the even part of the continued fraction 8.9.2 (otherwise).
 */
export function lnLowerGamma(a: number, x: number): number {
  // ln of x^a e^−x / Γ(a + 1)
  const lnFront = -a * toLogGap(x / a) - 0.5 * Math.log(2 * Math.PI * a) - toStirlingRest(a)
  if (x < a + 1) return lnFront + Math.log(toSeries(a, x))
  return Math.log1p(-Math.exp(lnFront + Math.log(a)) * toFraction(a, x))
}

/** 1 + x/(a+1) + x²/((a+1)(a+2)) + … */
function toSeries(a: number, x: number): number {
  let sum = 1
  let term = 1
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= x / (a + k)
    sum += term
  }
  return sum
}

/** Γ(a, x) / (x^a e^−x) by the continued fraction, evaluated as Lentz 1976 does (no value of it is 0 for x ≥ a + 1). */
function toFraction(a: number, x: number): number {
  let b = x + 1 - a
  let c = Number.POSITIVE_INFINITY
  let d = 1 / b
  let value = d
  for (let k = 1; k < 1e7; k++) {
    const an = k * (a - k)
    b += 2
    d = 1 / (an * d + b)
    c = b + an / c
    value *= c * d
    if (Math.abs(c * d - 1) < 1e-16) break
  }
  return value
}

function toStirlingSeries(x: number): number {
  const inverse = 1 / (x * x)
  return STIRLING.reduceRight((sum, coefficient) => coefficient + inverse * sum, 0) / x
}

/** ln Γ(2 + z) for |z| ≤ ½. */
function toNearTwo(z: number): number {
  return (
    z *
    (1 - EULER + z * NEAR_TWO.reduceRight((sum, coefficient, at) => (at % 2 === 0 ? 1 : -1) * coefficient + z * sum, 0))
  )
}

/** ζ(k) − 1 by the sum's first terms and the Euler–Maclaurin formula for the rest (NIST DLMF 25.2.9). */
function toZetaMinusOne(k: number): number {
  const last = 100
  let sum = last ** (1 - k) / (k - 1) - last ** -k / 2 + (k * last ** (-k - 1)) / 12
  sum -= (k * (k + 1) * (k + 2) * last ** (-k - 3)) / 720
  for (let n = last; n >= 2; n--) sum += n ** -k
  return sum
}
