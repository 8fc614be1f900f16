import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Multiplier, type Product, toWasmMultiplier } from './gemm.ts'
import { toRandom } from './random.ts'
import { toPlainMultiplier } from './testing/gemm-plain.ts'

const LENGTH = 8192
const A = 0
const B = 2048
const C = 4096
const GATE = 6144

/** Products of any shape and either orientation of A, whose matrices do not overlap. */
const products = fc
  .record({
    tiles: fc.integer({ min: 1, max: 4 }),
    panels: fc.integer({ min: 1, max: 4 }),
    depth: fc.integer({ min: 1, max: 40 }),
    spare: fc.integer({ min: 0, max: 5 }),
    transposed: fc.boolean(),
    gateMoves: fc.boolean(),
  })
  .map(({ tiles, panels, depth, spare, transposed, gateMoves }): Product => {
    const [rows, columns] = [4 * tiles, 8 * panels]
    const [aRow, aStep] = transposed ? [1, rows + spare] : [depth + spare, 1]
    return {
      ...{ a: A, aRow, aStep, b: B, bStep: columns + spare, c: C, cRow: columns + spare },
      ...{ gate: GATE, gateRow: gateMoves ? columns + spare : 0, rows, columns, depth },
    }
  })

function fill(multiplier: Multiplier, seed: number): Multiplier {
  const random = toRandom(seed)
  for (let i = 0; i < LENGTH; i++) multiplier.memory[i] = random(-1, 1)
  return multiplier
}

describe('toWasmMultiplier()', () => {
  for (const kernel of ['add', 'floor', 'gate'] as const) {
    it(`${kernel}() leaves the very bits that plain JavaScript leaves`, () => {
      fc.assert(
        fc.property(products, fc.nat(), (product, seed) => {
          const fast = fill(toWasmMultiplier(LENGTH), seed)
          const plain = fill(toPlainMultiplier(LENGTH), seed)
          const before = Float32Array.from(plain.memory)
          fast[kernel](product)
          plain[kernel](product)
          assert.notDeepEqual(plain.memory, before)
          assert.deepEqual(new Uint32Array(fast.memory.slice(0, LENGTH).buffer), new Uint32Array(plain.memory.buffer))
        }),
        { numRuns: 60 },
      )
    })
  }
})
