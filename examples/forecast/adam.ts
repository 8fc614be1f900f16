/** Adam's settings; the names are the paper's. */
export interface AdamOptions {
  readonly learningRate: number
  /** @default 0.9 */
  readonly beta1?: number
  /** @default 0.999 */
  readonly beta2?: number
  /** That of TensorFlow 1; Keras 3 has 1e-7. @default 1e-8 */
  readonly epsilon?: number
}

/**
 * Makes the step that moves `weights` against a gradient of the same length.
 *
 * Source: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1 in the order of section 2's end, which TensorFlow and
 * Keras follow: epsilon is added to the root of the uncorrected second moment.
 */
export function toAdam(weights: Vector, options: AdamOptions): (gradient: Vector) => void {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options
  const firstMoments = new Float32Array(weights.length)
  const secondMoments = new Float32Array(weights.length)
  // Powers are multiplied up: Math.pow may differ in its last bit between engines.
  let beta1Power = 1
  let beta2Power = 1
  return gradient => {
    beta1Power *= beta1
    beta2Power *= beta2
    const rate = (learningRate * Math.sqrt(1 - beta2Power)) / (1 - beta1Power)
    for (let i = 0; i < weights.length; i++) {
      const slope = gradient[i] ?? 0
      const first = beta1 * (firstMoments[i] ?? 0) + (1 - beta1) * slope
      const second = beta2 * (secondMoments[i] ?? 0) + (1 - beta2) * slope * slope
      firstMoments[i] = first
      secondMoments[i] = second
      weights[i] = (weights[i] ?? 0) - (rate * first) / (Math.sqrt(second) + epsilon)
    }
  }
}

type Vector = Float32Array | Float64Array
