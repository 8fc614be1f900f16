import type { Multiplier, Product } from '../gemm.ts'

/**
 * Multiplies in plain JavaScript: what the WebAssembly one is tested against, bit for bit, and in double precision
 * what its gradients are tested with.
 */
export function toPlainMultiplier(length: number, precision: 'single' | 'double' = 'single'): Multiplier {
  const memory = precision === 'single' ? new Float32Array(length) : new Float64Array(length)
  const round = precision === 'single' ? Math.fround : (x: number): number => x
  const at = (place: number): number => memory[place] ?? Number.NaN

  const multiply = (p: Product, start: (c: number) => number, finish: (sum: number, gate: number) => number): void => {
    for (let i = 0; i < p.rows; i++) {
      for (let j = 0; j < p.columns; j++) {
        const c = p.c + i * p.cRow + j
        let sum = start(at(c))
        for (let k = 0; k < p.depth; k++) {
          sum = round(sum + round(at(p.a + i * p.aRow + k * p.aStep) * at(p.b + k * p.bStep + j)))
        }
        memory[c] = finish(sum, at((p.gate ?? 0) + i * (p.gateRow ?? 0) + j))
      }
    }
  }
  return {
    memory,
    add: p =>
      multiply(
        p,
        c => c,
        sum => sum,
      ),
    floor: p =>
      multiply(
        p,
        () => 0,
        (sum, gate) => (sum < gate ? gate : sum),
      ),
    gate: p =>
      multiply(
        p,
        () => 0,
        (sum, gate) => (gate > 0 ? sum : 0),
      ),
  }
}
