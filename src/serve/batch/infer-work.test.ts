import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type NamedTensors, toZeros } from '../../tensor/index.ts'
import { checkOutputBytes, toWorkMaker } from './infer-work.ts'

const input = (name: string, ...shape: number[]) => ({ name, dtype: 'float32', shape, axes: [] }) as const
const output = (name: string, ...shape: number[]) => ({ name, dtype: 'float32', shape }) as const
const tensors = (shapes: Record<string, number[]>): NamedTensors =>
  new Map(Object.entries(shapes).map(([name, shape]) => [name, toZeros('float32', shape)]))
const signal = new AbortController().signal

const make = toWorkMaker(
  { inputs: [input('a', -1, 2), input('b', -1, -1, 3)], outputs: [output('y', -1, 4), output('z', -1, -1)] },
  1_000,
)
const toWork = (shapes: Record<string, number[]>, outputs = ['y', 'z']) =>
  make(tensors(shapes), { outputs, signal, deadlineAt: undefined })

describe('toWorkMaker()', () => {
  it('gives requests that fit together one key, whatever their rows', () => {
    const one = toWork({ a: [1, 2], b: [1, 5, 3] })
    const three = toWork({ a: [3, 2], b: [3, 5, 3] }, ['z', 'y'])
    assert.equal(one.key, three.key)
    assert.deepEqual([one.rows, three.rows], [1, 3])
  })

  it('gives others another one, or none', () => {
    const { key } = toWork({ a: [1, 2], b: [1, 5, 3] })
    assert.notEqual(toWork({ a: [1, 2], b: [1, 6, 3] }).key, key)
    assert.notEqual(toWork({ a: [1, 2], b: [1, 5, 3] }, ['y']).key, key)
    assert.equal(toWork({ a: [1, 2], b: [2, 5, 3] }).key, undefined, 'rows differ')
    assert.equal(toWork({ a: [0, 2], b: [0, 5, 3] }).key, undefined, 'no rows')
  })

  it('counts the bytes of inputs, and of the outputs that are known', () => {
    assert.equal(toWork({ a: [2, 2], b: [2, 1, 3] }).sizeBytes, 4 * (4 + 6 + 8))
    assert.equal(toWork({ a: [2, 2], b: [2, 1, 3] }, ['z']).sizeBytes, 4 * (4 + 6))
  })

  it('refuses what would take too much', () => {
    assert.throws(() => toWork({ a: [30, 2], b: [30, 1, 3] }), {
      code: 'BAD_REQUEST',
      message:
        'Cannot run the model: inputs and outputs take 1080 bytes, above the limit of 1000; send fewer rows at once',
    })
  })
})

describe('checkOutputBytes()', () => {
  it('refuses outputs that are too large', () => {
    checkOutputBytes(tensors({ y: [250] }), 1_000)
    assert.throws(() => checkOutputBytes(tensors({ y: [250], z: [1] }), 1_000), { code: 'BAD_REQUEST' })
  })
})
