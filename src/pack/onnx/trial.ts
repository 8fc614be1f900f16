import {
  DTYPES,
  type Dtype,
  type NamedTensors,
  type Tensor,
  type TensorSpec,
  toHalfBits,
  toZeros,
} from '../../tensor/index.ts'

/** What a model says of one of its inputs: `axes` names its dimensions, where they have names. */
export interface TrialInput extends TensorSpec {
  readonly axes: readonly (string | undefined)[]
}

/** Rows, length of any other open dimension, and spread of the numbers, for each try. */
const TRIALS = [
  { rows: 1, length: 24, scale: 1 },
  { rows: 2, length: 12, scale: 1 },
  { rows: 3, length: 7, scale: 0.1 },
  { rows: 1, length: 1, scale: 1 },
  { rows: 5, length: 2, scale: 3 },
  { rows: 8, length: 40, scale: 0.01 },
  { rows: 2, length: 100, scale: 1 },
  { rows: 17, length: 5, scale: 1 },
] as const

/** How many tries there are. */
export const TRIAL_COUNT = TRIALS.length

/**
 * Random inputs of a try, from 0 on; always the same ones. Whole numbers are 0 or 1, which are in every vocabulary.
 * Undefined where the model takes texts.
 */
export function toTrial(inputs: readonly TrialInput[], index: number): NamedTensors | undefined {
  const { length, rows, scale } = TRIALS[index % TRIALS.length] ?? TRIALS[0]
  const sizes = new Map<string, number>()
  const draw = toGenerator(index + 1)
  const made = new Map<string, Tensor>()
  for (const { axes, dtype, name, shape } of inputs) {
    if (dtype === 'string') return undefined
    const full = shape.map((size, axis) => {
      if (size !== -1) return size
      const key = axes[axis] ?? `${name} ${axis}`
      const known = sizes.get(key) ?? (axis === 0 ? rows : length)
      sizes.set(key, known)
      return known
    })
    made.set(
      name,
      toRandomTensor(
        dtype,
        full,
        DTYPES[dtype].kind === 'float' ? () => scale * toNormal(draw) : () => Math.round(draw()),
      ),
    )
  }
  return made
}

function toRandomTensor(dtype: Dtype, shape: readonly number[], draw: () => number): Tensor {
  const tensor = toZeros(dtype, shape)
  const { data } = tensor
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (const index of data.keys()) data[index] = BigInt(draw())
  } else if (ArrayBuffer.isView(data)) {
    for (const index of data.keys()) data[index] = dtype === 'float16' ? toHalfBits(draw()) : draw()
  }
  return tensor
}

/** Near enough to a normal distribution: the sum of twelve even numbers (Irwin and Hall 1927). */
function toNormal(draw: () => number): number {
  return Array.from({ length: 12 }, draw).reduce((sum, value) => sum + value, -6)
}

/** Numbers from 0 to 1, the same on every machine. Source: Steele, Lea and Flood 2014, "Fast Splittable …" (SplitMix). */
function toGenerator(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b9)
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
}
