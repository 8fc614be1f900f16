import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Dtype } from './dtype.ts'
import { toHalfBits } from './half.ts'
import { parseJson } from './json-parse.ts'
import { checkTensor, type Tensor, toSizeBytes, toZeros } from './tensor.ts'
import { parseV2Data, toV2Data } from './v2-json.ts'

const parse = (text: string, dtype: Dtype, shape: readonly number[]): Tensor =>
  parseV2Data(parseJson(Buffer.from(text)), dtype, shape)

describe('parseV2Data()', () => {
  it('reads flat and nested data alike', () => {
    const wanted = { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4.5) }
    assert.deepEqual(parse('[1,2,3,4.5]', 'float32', [2, 2]), wanted)
    assert.deepEqual(parse('[[1,2],[3,4.5]]', 'float32', [2, 2]), wanted)
  })

  it('reads back what toV2Data() wrote, for every type', () => {
    fc.assert(
      fc.property(fc.array(fc.float(), { maxLength: 8 }), fc.array(fc.maxSafeNat()), (floats, integers) => {
        const tensors: readonly Tensor[] = [
          { dtype: 'float32', shape: [floats.length], data: Float32Array.from(floats) },
          { dtype: 'float64', shape: [floats.length, 1], data: Float64Array.from(floats) },
          { dtype: 'float16', shape: [floats.length], data: Uint16Array.from(floats, toHalfBits) },
          {
            dtype: 'uint64',
            shape: [integers.length],
            data: BigUint64Array.from(integers, value => BigInt(value) * 2047n),
          },
          { dtype: 'int16', shape: [integers.length], data: Int16Array.from(integers) },
          { dtype: 'bool', shape: [integers.length], data: Uint8Array.from(integers, value => value % 2) },
          { dtype: 'string', shape: [integers.length], data: integers.map(value => `é${value}"`) },
        ]
        for (const tensor of tensors)
          assert.deepEqual(parse(toV2Data(checkTensor(tensor)), tensor.dtype, tensor.shape), tensor)
      }),
    )
  })

  const wrong: readonly [text: string, dtype: Dtype, shape: readonly number[], message: RegExp][] = [
    ['[1,2,3]', 'float32', [2, 2], /Shape does not match true shape of 'data' field$/],
    ['1', 'float32', [1], /Shape does not match true shape of 'data' field$/],
    ['[[1,2],[3]]', 'float32', [2, 2], /Shape does not match true shape of 'data' field$/],
    ['[[1,2],[3,4]]', 'float32', [4], /Shape does not match true shape of 'data' field$/],
    ['[1]', 'float32', [1e15, 1e15], /Shape does not match true shape of 'data' field$/],
    ['[[1,2,3],[4]]', 'float32', [2, 2], /unexpected size: 3/],
    ['[1.5]', 'int32', [1], /^JSON Value: 1\.5 Type: Number is not of expected type: INT32$/],
    ['[{"b64":"AA=="}]', 'string', [1], /is not of expected type: BYTES$/],
    ['["a"]', 'bool', [1], /is not of expected type: BOOL$/],
    ['[1e39]', 'float32', [1], /to FP32 without loss of precision\.$/],
  ]
  for (const [text, dtype, shape, message] of wrong) {
    it(`refuses ${text} as ${dtype} [${shape}]`, () => {
      assert.throws(() => parse(text, dtype, shape), { message })
    })
  }
})

describe('checkTensor()', () => {
  it('refuses data that does not fill the shape', () => {
    assert.throws(() => checkTensor({ dtype: 'int8', shape: [2], data: new Int8Array(3) }), {
      message: 'Cannot make a tensor of shape [2]: expected 2 elements, found 3',
    })
  })
  it('takes zeros of any type, and toSizeBytes() counts them', () => {
    assert.equal(toSizeBytes(checkTensor(toZeros('float64', [2, 3]))), 48)
    assert.equal(toSizeBytes({ dtype: 'string', shape: [1], data: ['ab'] }), 4)
  })
})
