import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Dtype } from './dtype.ts'
import { parseJson } from './json-parse.ts'
import type { Tensor, TensorSpec } from './tensor.ts'
import { parseTfsInputs, parseTfsInstances } from './tfs-json.ts'
import { toTfsOutputs, toTfsPredictions } from './tfs-json-text.ts'

const spec = (name: string, dtype: Dtype): TensorSpec => ({ name, dtype, shape: [-1] })
const x = spec('x', 'float32')
const instances = (text: string, specs: readonly TensorSpec[] = [x]): Tensor | undefined =>
  parseTfsInstances(parseJson(Buffer.from(text)), specs).get('x')
const inputs = (text: string, specs: readonly TensorSpec[] = [x]): Tensor | undefined =>
  parseTfsInputs(parseJson(Buffer.from(text)), specs).get('x')

/** Any tensor of up to three axes, each 1 to 4 long. */
const anyTensor: fc.Arbitrary<Tensor> = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 })
  .chain(shape => {
    const size = shape.reduce((product, length) => product * length, 1)
    const fixed = { minLength: size, maxLength: size }
    return fc.oneof(
      fc.array(fc.float(), fixed).map(data => ({ dtype: 'float32', shape, data: Float32Array.from(data) }) as const),
      fc.array(fc.double(), fixed).map(data => ({ dtype: 'float64', shape, data: Float64Array.from(data) }) as const),
      fc
        .array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fixed)
        .map(data => ({ dtype: 'int64', shape, data: BigInt64Array.from(data) }) as const),
      fc
        .array(fc.integer({ min: 0, max: 255 }), fixed)
        .map(data => ({ dtype: 'uint8', shape, data: Uint8Array.from(data) }) as const),
      fc
        .array(fc.boolean(), fixed)
        .map(data => ({ dtype: 'bool', shape, data: Uint8Array.from(data, Number) }) as const),
      fc.array(fc.string({ unit: 'grapheme' }), fixed).map(data => ({ dtype: 'string', shape, data }) as const),
    )
  })

describe('the JSON of TensorFlow Serving', () => {
  it('gives back every tensor, by rows and by columns, also as base64', () => {
    fc.assert(
      fc.property(anyTensor, fc.constantFrom('x', 'x_bytes'), (tensor, name) => {
        const specs = [spec(name, tensor.dtype)]
        const rows = parseJson(Buffer.from(toTfsPredictions(new Map([[name, tensor]]))))
        assert.deepEqual(parseTfsInstances(rows, specs).get(name), tensor)
        const columns = parseJson(Buffer.from(toTfsOutputs(new Map([[name, tensor]]))))
        assert.deepEqual(parseTfsInputs(columns, specs).get(name), tensor)
      }),
      { numRuns: 400 },
    )
  })

  it('takes and writes several tensors as objects', () => {
    const specs = [x, spec('y', 'int32')]
    const read = parseTfsInstances(parseJson(Buffer.from('[{"x":[1.5],"y":2},{"y":3,"x":[2.5]}]')), specs)
    assert.deepEqual(read.get('x'), { dtype: 'float32', shape: [2, 1], data: Float32Array.of(1.5, 2.5) })
    assert.deepEqual(read.get('y'), { dtype: 'int32', shape: [2], data: Int32Array.of(2, 3) })
    assert.equal(toTfsPredictions(read), '[{"x":[1.5],"y":2},{"x":[2.5],"y":3}]')
    assert.equal(toTfsOutputs(read), '{"x":[[1.5],[2.5]],"y":[2,3]}')
  })

  it('does not allocate what only the first row promises', () => {
    const row = `[${'1,'.repeat(50_000)}1]`
    assert.throws(() => instances(`[${row}${',[]'.repeat(50_000)}]`), {
      message: /Expecting tensor size: 50001 but got: 0/,
    })
    assert.throws(() => inputs(`[${row}${',[]'.repeat(50_000)}]`), { message: /unexpected size: 0 at level: 1/ })
  })

  const wrongRows: readonly [text: string, message: RegExp][] = [
    ['[]', /^No values in 'instances' array$/],
    [
      '[[1],[1,2]]',
      /^Failed to process element: 1 of 'instances' list\. Error: INVALID_ARGUMENT: Expecting tensor size: 1 but got: 2$/,
    ],
    ['[[[1,2]],[[1],[2]]]', /Expecting shape \[1,2\] but got: \[2,1\]$/],
    ['[[[1,2],[3]]]', /Encountered list at unexpected size: 1 at level: 1 expected size: 2$/],
    ['[[1,[2]]]', /Encountered list at unexpected level: 1 expected < 1$/],
    ['[[[1],2]]', /JSON Value: 2 found at incorrect level: 2 in the JSON DOM\. Expected at level: 2$/],
    ['["a"]', /JSON Value: "a" Type: String is not of expected type: float$/],
    ['[null]', /JSON Value: null Type: Null is not of expected type: float$/],
    [
      '[{"z":1}]',
      /^Failed to process element: 0 key: z of 'instances' list\. Error: INVALID_ARGUMENT: JSON object: does not have named input: z$/,
    ],
    ['[{"x":1}, 2]', /^Expecting object but got list at item 1 of input list$/],
    ['[[1], {"x":1}]', /Expecting value\/list but got object at item 1 of input list$/],
    ['[{}]', /JSON object: {} keys must be equal to: x$/],
    ['[16777217]', /^Cannot convert JSON value: 16777217 to float without loss of precision\.$/],
    ['[1e39]', /^Cannot convert JSON value: 1e\+39 to float without loss of precision\.$/],
    ['[{"b64":"AA=="}]', /Type: Object is not of expected type: float$/],
  ]
  for (const [text, message] of wrongRows) {
    it(`refuses the rows ${text}`, () => assert.throws(() => instances(text), { message }))
  }

  const wrongValues: readonly [dtype: Dtype, text: string, message: RegExp][] = [
    ['int32', '[1.0]', /^JSON Value: 1\.0 Type: Number is not of expected type: int32$/],
    ['int32', '[2147483648]', /JSON Value: 2147483648 Type: Number is not of expected type: int32$/],
    ['uint8', '[256]', /expected type: uint8$/],
    ['uint8', '[-1]', /expected type: uint8$/],
    ['int64', '[9223372036854775808]', /JSON Value: 9223372036854775808 Type: Number is not of expected type: int64$/],
    ['uint64', '[-1]', /expected type: uint64$/],
    ['bool', '[1]', /JSON Value: 1 Type: Number is not of expected type: bool$/],
    ['string', '[1]', /expected type: string$/],
    ['string', '[{"b64":"_"}]', /Unable to base64 decode$/],
    ['string', '[{"b64":1}]', /JSON Value: {"b64":1} not formatted correctly for base64 data$/],
    ['string', '[{"b64":"/w=="}]', /holds bytes that are not UTF-8$/],
  ]
  for (const [dtype, text, message] of wrongValues) {
    it(`refuses ${text} for ${dtype}`, () => {
      assert.throws(() => inputs(text, [spec('x', dtype)]), { message })
    })
  }

  it('refuses outputs that have no common rows', () => {
    const two = { dtype: 'float32', shape: [2], data: new Float32Array(2) } as const
    const scalar = { dtype: 'float32', shape: [], data: new Float32Array(1) } as const
    const three = { dtype: 'float32', shape: [3], data: new Float32Array(3) } as const
    assert.throws(() => toTfsPredictions(new Map([['x', scalar]])), {
      message: 'Tensor name: x has no shape information ',
    })
    assert.throws(
      () =>
        toTfsPredictions(
          new Map<string, Tensor>([
            ['x', two],
            ['y', three],
          ]),
        ),
      {
        message: 'Tensor name: y has inconsistent batch size: 3 expecting: 2',
      },
    )
    assert.equal(toTfsOutputs(new Map([['x', scalar]])), '0.0')
  })
})
