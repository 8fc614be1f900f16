import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { DTYPES, type Dtype, isDtype } from './dtype.ts'
import { copyTensor, freshMemory, joinRows, sliceRows, toReusedMemory } from './rows.ts'
import { type Tensor, toZeros } from './tensor.ts'

const float = (shape: number[], ...values: number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(values),
})

describe('joinRows(), sliceRows()', () => {
  it('puts rows below each other, and finds them again', () => {
    const joined = joinRows(float([1, 2], 1, 2), [float([2, 2], 3, 4, 5, 6)], freshMemory)
    assert.deepEqual(joined, float([3, 2], 1, 2, 3, 4, 5, 6))
    assert.deepEqual(sliceRows(joined, 1, 2), float([2, 2], 3, 4, 5, 6))
    assert.deepEqual(sliceRows(sliceRows(joined, 1, 2), 1, 1), float([1, 2], 5, 6))
  })

  it('copies no element to slice', () => {
    const joined = float([2, 1], 1, 2)
    const { data } = sliceRows(joined, 1, 1)
    assert.ok(data instanceof Float32Array)
    assert.equal(data.buffer, joined.dtype === 'float32' && joined.data.buffer)
  })

  it('takes texts', () => {
    const joined = joinRows({ dtype: 'string', shape: [1], data: ['a'] }, [toZeros('string', [1])], freshMemory)
    assert.deepEqual(joined, { dtype: 'string', shape: [2], data: ['a', ''] })
    assert.deepEqual(sliceRows(joined, 0, 1).data, ['a'])
  })

  it('gives back what was joined, for every type and any rows', () => {
    const dtypes = Object.keys(DTYPES).filter(isDtype)
    fc.assert(
      fc.property(
        fc.constantFrom(...dtypes),
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 0, max: 3 }),
        (dtype, counts, size) => {
          const parts = counts.map((rows, at) => toNumbered(dtype, [rows, size], at))
          const [first, ...others] = parts
          assert.ok(first !== undefined)
          const joined = joinRows(first, others, toReusedMemory())
          let at = 0
          for (const [index, rows] of counts.entries()) {
            assert.deepEqual(sliceRows(joined, at, rows), parts[index])
            at += rows
          }
          assert.equal(joined.shape[0], at)
        },
      ),
    )
  })
})

/** A tensor whose bytes are all different from those of another number. */
function toNumbered(dtype: Dtype, shape: number[], number: number): Tensor {
  const tensor = toZeros(dtype, shape)
  if (tensor.dtype === 'string') return { ...tensor, data: tensor.data.map(() => `text ${number}`) }
  new Uint8Array(tensor.data.buffer).fill(number)
  return tensor
}

describe('copyTensor()', () => {
  it('shares no memory, not even that beside a view', () => {
    const whole = float([3, 1], 1, 2, 3)
    const copy = copyTensor(sliceRows(whole, 1, 1))
    assert.deepEqual(copy, float([1, 1], 2))
    assert.ok(copy.dtype === 'float32' && copy.data.buffer.byteLength === 4)
    assert.deepEqual(copyTensor(toZeros('string', [1])), toZeros('string', [1]))
    assert.deepEqual(copyTensor(float([], 7)), float([], 7))
  })
})

describe('toReusedMemory()', () => {
  it('gives the same memory while it is large enough', () => {
    const memory = toReusedMemory()
    const first = memory(8)
    assert.equal(memory(4), first)
    assert.equal(memory(16).byteLength, 16)
  })
})
