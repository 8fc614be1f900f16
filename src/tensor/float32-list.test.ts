import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toFloat32List } from './float32-list.ts'
import { toFloatText, toShortestFloat32 } from './number-text.ts'

/** Where two texts are as short and as near, the long way takes another one for a negative number. */
const longWay = (values: Float32Array): string =>
  Array.from(values, value => {
    const sign = value < 0 || Object.is(value, -0) ? '-' : ''
    return sign + toFloatText(toShortestFloat32(Math.abs(value)))
  }).join(',')

/** Without the text of thousands of numbers, should they differ. */
function assertSame(floats: Float32Array): void {
  const found = toFloat32List(floats).split(',')
  const wrong = longWay(floats)
    .split(',')
    .findIndex((text, at) => text !== found[at])
  assert.equal(wrong, -1, `${floats[wrong]} is written as ${found[wrong]}`)
}

/** The same numbers at each run (Lehmer 1951). */
function* toBits(seed: number): Generator<number> {
  for (let state = BigInt(seed); ; state = (state * 48_271n) % 2_147_483_647n) yield Number(state)
}

describe('toFloat32List()', () => {
  const tables: readonly [name: string, values: readonly number[]][] = [
    ['none', []],
    ['whole numbers', [0, -0, 1, -1, 10, 100, 123456, 2 ** 24 - 1, 2 ** 24, 2 ** 24 + 2, -(2 ** 25), 1e10, 3e20, 1e21]],
    ['decimals', [0.1, -0.1, 0.5, 1.5, 0.25, 2.7182817, 0.3333333, 123.456, 99999.99, 0.99999994, 9.999999, 100000.5]],
    ['small ones', [1e-6, 9.9e-7, 1.0000001e-6, 1.2345e-5, 1e-7, 1e-10, 1e-38, 1e-45, 1.1754944e-38]],
    ['large ones', [16777215.5, 8388607.5, 3.4028235e38, 1e22, 1.5e15]],
    ['what is no number', [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
  ]
  for (const [name, values] of tables)
    it(`writes ${name} as one by one`, () => {
      const floats = Float32Array.from(values)
      assert.equal(toFloat32List(floats), longWay(floats))
    })

  it('writes every kind of float as one by one, and so that it reads back', () => {
    const bits = toBits(7)
    for (let round = 0; round < 40; round += 1) {
      const words = Uint32Array.from({ length: 5000 }, () => (bits.next().value * 2 + round) >>> 0)
      const floats = new Float32Array(words.buffer)
      assertSame(floats)
    }
  })

  it('writes floats of every size from a millionth to ten million so', () => {
    const bits = toBits(11)
    const draw = (): number => bits.next().value / 2_147_483_647
    for (let power = -6; power <= 7; power += 1) {
      const floats = Float32Array.from({ length: 5000 }, () => (draw() - 0.5) * 10 ** power)
      assertSame(floats)
      assert.deepEqual(Float32Array.from(toFloat32List(floats).split(','), Number), floats)
    }
  })
})
