/** What a model learns from: `count` windows of `steps` values each, row after row. */
export interface Windows {
  readonly count: number
  readonly steps: number
  /** Inputs, shape [count, steps]. */
  readonly x: Float32Array
  /** Targets, shape [count, steps]: the input shifted by the horizon. */
  readonly y: Float32Array
}

/** Periods in one window. */
export const STEPS = 100
/** How many periods ahead the model predicts. */
const HORIZON = 1

/** Cuts a series into whole windows; the values after the last whole window are left out. @throws below one window */
export function toWindows(values: readonly number[], steps = STEPS): Windows {
  const count = Math.floor((values.length - HORIZON) / steps)
  if (count < 1) {
    throw new Error(`Cannot cut windows: expected at least ${steps + HORIZON} values, found ${values.length}`)
  }
  return {
    count,
    steps,
    x: Float32Array.from(values.slice(0, count * steps)),
    y: Float32Array.from(values.slice(HORIZON, HORIZON + count * steps)),
  }
}
