import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toWasmMultiplier } from './gemm.ts'
import { joinLayers, type Layers, splitLayers, toNetwork } from './network.ts'
import { toRandom } from './random.ts'
import { openRnn, predict } from './rnn.ts'
import { toPlainMultiplier } from './testing/gemm-plain.ts'

const shape = { hidden: 5, windows: 3, steps: 7 }
const network = toNetwork(shape.hidden, 3)
const random = toRandom(11)
const x = Float32Array.from({ length: shape.windows * shape.steps }, () => random(-2, 2))
const targets = Float64Array.from(x, () => random(-2, 2))

/** The textbook: h = relu(x·input + h·recurrent + bias), y = h·dense + denseBias, in double precision. */
function answerByHand(layers: Layers, window: readonly number[]): number[] {
  let states = Array.from(layers.input, () => 0)
  return window.map(value => {
    states = states.map((_, to) => {
      const fromStates = states.reduce((sum, h, from) => sum + h * at(layers.recurrent, from * states.length + to), 0)
      return Math.max(0, value * at(layers.input, to) + fromStates + at(layers.bias, to))
    })
    return states.reduce((sum, h, unit) => sum + h * at(layers.dense, unit), layers.denseBias)
  })
}

const at = (values: ArrayLike<number>, i: number): number => values[i] ?? Number.NaN

describe('openRnn()', () => {
  it('forward() answers as the textbook does', () => {
    const layers = { ...splitLayers(network), bias: Float32Array.of(0.1, -0.2, 0.3, 0, 0.5), denseBias: 0.25 }
    const answers = predict(joinLayers(layers), x, shape.steps)
    for (let window = 0; window < shape.windows; window++) {
      const [from, to] = [window * shape.steps, (window + 1) * shape.steps]
      const wanted = answerByHand(layers, [...x.subarray(from, to)])
      for (const [t, y] of wanted.entries()) {
        assert.ok(Math.abs(y - at(answers, from + t)) < 1e-5, `window ${window}, step ${t}`)
      }
    }
  })

  it('backward() finds the slopes that numerical differences find', () => {
    const rnn = openRnn(shape, { openMultiplier: length => toPlainMultiplier(length, 'double') })
    rnn.weights.set(network.matrix)
    const toLoss = (): number => rnn.forward(x).reduce((sum, y, i) => sum + (y - at(targets, i)) ** 2, 0)
    const { hidden, width } = { ...shape, width: network.width }
    rnn.backward(rnn.forward(x).map((y, i) => 2 * (y - at(targets, i))))
    const nudge = 1e-6
    for (let row = 0; row < hidden + 2; row++) {
      for (let column = 0; column <= hidden; column++) {
        const isWeight = !(row === hidden && column === hidden)
        const weight = row * width + column
        const before = at(rnn.weights, weight)
        rnn.weights[weight] = before + nudge
        const above = toLoss()
        rnn.weights[weight] = before - nudge
        const numerical = isWeight ? (above - toLoss()) / (2 * nudge) : 0
        rnn.weights[weight] = before
        const found = at(rnn.gradient, weight)
        const message = `row ${row}, column ${column}: ${found}, numerically ${numerical}`
        assert.ok(Math.abs(found - numerical) < 1e-5 * Math.max(1, Math.abs(numerical)), message)
      }
    }
  })

  it('backward() gives WebAssembly the very gradient of plain JavaScript', () => {
    const gradients = [toWasmMultiplier, toPlainMultiplier].map(openMultiplier => {
      const rnn = openRnn(shape, { openMultiplier: length => openMultiplier(length) })
      rnn.weights.set(network.matrix)
      rnn.backward(rnn.forward(x).map((y, i) => 2 * (y - at(targets, i))))
      return Float32Array.from(rnn.gradient)
    })
    assert.deepEqual(gradients[0], gradients[1])
    assert.ok(gradients[0]?.some(slope => slope !== 0))
  })
})

describe('predict()', () => {
  it('answers a window alone as it does among a hundred', () => {
    const windows = Float32Array.from({ length: 100 * shape.steps }, () => random(-300, 300))
    const together = predict(network, windows, shape.steps)
    for (const window of [0, 63, 64, 99]) {
      const [from, to] = [window * shape.steps, (window + 1) * shape.steps]
      assert.deepEqual(predict(network, windows.slice(from, to), shape.steps), together.slice(from, to))
    }
  })
})
