import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Dtype } from './dtype.ts'
import { parseRaw, toRaw } from './raw.ts'
import { anyTensor } from './testing/any-tensor.ts'

describe('parseRaw()', () => {
  it('reads back what toRaw() wrote, for every type and wherever the bytes stand', () => {
    fc.assert(
      fc.property(anyTensor, fc.nat({ max: 9 }), (tensor, offset) => {
        const raw = toRaw(tensor)
        const bytes = new Uint8Array(offset + raw.length)
        bytes.set(raw, offset)
        assert.deepEqual(parseRaw(tensor.dtype, tensor.shape, bytes.subarray(offset)), tensor)
      }),
    )
  })

  it('is a view where the elements are aligned, and a copy where they are not', () => {
    const bytes = new Uint8Array(16)
    const [aligned, unaligned] = [bytes.subarray(4, 8), bytes.subarray(5, 9)].map(part => parseRaw('int32', [1], part))
    bytes.fill(1)
    assert.deepEqual(aligned?.data, Int32Array.of(0x01010101))
    assert.deepEqual(unaligned?.data, Int32Array.of(0))
  })

  it('gives a large copy memory of its own, which another thread can be handed', () => {
    const { data } = parseRaw('float64', [1000], new Uint8Array(8001).subarray(1))
    assert.ok('buffer' in data && data.buffer.byteLength === 8000)
  })

  it('reads little-endian', () => {
    assert.deepEqual(parseRaw('uint16', [1], Uint8Array.of(1, 2)).data, Uint16Array.of(0x0201))
    assert.deepEqual(parseRaw('string', [2], Uint8Array.of(2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0)).data, ['é', ''])
  })

  const wrong: readonly [dtype: Dtype, shape: readonly number[], bytes: readonly number[], message: RegExp][] = [
    ['float32', [1], [0, 0, 0], /^Cannot fill shape \[1\] of float: expected 4 bytes, found 3$/],
    ['float64', [1e15, 1e15], [], /expected 8e\+30 bytes, found 0$/],
    ['bool', [2], [1, 2], /^Cannot use 2 as a bool/],
    ['string', [1], [1, 0, 0], /expected 1, each after its length, found 0 and 3 bytes more$/],
    ['string', [1], [255, 255, 255, 255, 0], /found 0 and 5 bytes more$/],
    ['string', [1e15], [0, 0, 0, 0], /expected 1000000000000000, each after its length, found 1 and 0 bytes more$/],
    ['string', [1], [0, 0, 0, 0, 0, 0, 0, 0], /found 1 and 4 bytes more$/],
    ['string', [1], [1, 0, 0, 0, 0xff], /it is not UTF-8$/],
    ['string', [1], [2, 0, 0, 0, 0x41, 0xff], /it is not UTF-8$/],
  ]
  for (const [dtype, shape, bytes, message] of wrong) {
    it(`refuses the bytes ${bytes} as ${dtype} [${shape}]`, () => {
      assert.throws(() => parseRaw(dtype, shape, Uint8Array.from(bytes)), { name: 'TensorError', message })
    })
  }
})
