import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { ModelInferRequestSchema, ModelInferResponseSchema } from './generated/inference/infer_pb.js'
import { toRaw } from './raw.ts'
import { anyDamage, attempt } from './testing/any-damage.ts'
import { anyTensor } from './testing/any-tensor.ts'
import { toInferParameters, toInferTensor } from './testing/generated-forms.ts'
import {
  parseModelInferRequest,
  parseModelInferResponse,
  peekModelInferRequest,
  peekModelInferResponse,
} from './v2-infer.ts'
import { toModelInferResponse } from './v2-infer-writer.ts'
import type { Parameters, ParameterValue } from './v2-parameters.ts'

type RequestInit = MessageInitShape<typeof ModelInferRequestSchema>

const anyName = fc.string({ unit: 'grapheme', maxLength: 40 }).filter(name => name !== '__proto__')
const anyValue: fc.Arbitrary<ParameterValue> = fc.oneof(
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.double().filter(value => !Number.isInteger(value)),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  anyName,
)
const anyParameters = fc.array(fc.tuple(anyName, anyValue), { maxLength: 3 }).map(toOrdered)
const plain = { noNullPrototype: true } as const
const anyHead = fc.record({ modelName: anyName, modelVersion: anyName, id: anyName, parameters: anyParameters }, plain)
const anyTensors = fc.array(fc.record({ name: anyName, tensor: anyTensor, parameters: anyParameters }, plain), {
  maxLength: 3,
})

const toBytes = (init: RequestInit): Uint8Array =>
  toBinary(ModelInferRequestSchema, create(ModelInferRequestSchema, init))

describe('ModelInferRequest', () => {
  it('is read as the generated code writes it, raw and typed', () => {
    fc.assert(
      fc.property(anyHead, anyTensors, anyTensors, fc.boolean(), (head, tensors, wanted, wantsRaw) => {
        const isRaw = tensors.length > 0 && (wantsRaw || tensors.some(({ tensor }) => tensor.dtype === 'float16'))
        const outputs = wanted.map(({ name, parameters }) => ({ name, parameters }))
        const bytes = toBytes({
          ...head,
          parameters: toInferParameters(head.parameters),
          inputs: tensors.map(tensor => toInferTensor(tensor, isRaw)),
          outputs: outputs.map(({ name, parameters }) => ({ name, parameters: toInferParameters(parameters) })),
          rawInputContents: isRaw ? tensors.map(({ tensor }) => toRaw(tensor)) : [],
        })
        assert.deepEqual(parseModelInferRequest(bytes), { ...head, inputs: tensors, outputs, isRaw })
        assert.deepEqual(peekModelInferRequest(bytes), { ...head, rows: tensors[0]?.tensor.shape[0] })
      }),
      { numRuns: 500 },
    )
  })

  it('is read as a client with published descriptors sends it', () => {
    // Python's protobuf with the descriptors of tritonclient 2.73.0.
    const raw =
      '0a036d6c701201371a02343222170a087072696f72697479120b10fdffffffffffffffff012a1a0a01781204465033321a020104220b' +
      '0a046e6f746512031a016e32190a017912140a0e636c617373696669636174696f6e120210023a103333a340000060403333b33fcdcc4c3e'
    assert.deepEqual(parseModelInferRequest(Buffer.from(raw, 'hex')), {
      modelName: 'mlp',
      modelVersion: '7',
      id: '42',
      parameters: new Map([['priority', -3]]),
      inputs: [
        {
          name: 'x',
          tensor: { dtype: 'float32', shape: [1, 4], data: Float32Array.of(5.1, 3.5, 1.4, 0.2) },
          parameters: new Map([['note', 'n']]),
        },
      ],
      outputs: [{ name: 'y', parameters: new Map([['classification', 2]]) }],
      isRaw: true,
    })
    const typed = '0a036d6c702a1b0a01781204494e54381a01022a0d120bffffffffffffffffff0105'
    const { inputs } = parseModelInferRequest(Buffer.from(typed, 'hex'))
    assert.deepEqual(inputs[0]?.tensor, { dtype: 'int8', shape: [2], data: Int8Array.of(-1, 5) })
  })

  const contents = { fp32Contents: [1] }
  const one = { name: 'x', datatype: 'FP32', shape: [1n] }
  const wrong: readonly [what: string, init: RequestInit, code: string, message: RegExp][] = [
    [
      'fewer raw contents than inputs',
      { inputs: [one, one], rawInputContents: [new Uint8Array(4)] },
      'TENSOR_SHAPE',
      /^the number of inputs \(2\) does not match the expected number of raw input contents \(1\) for model ''$/,
    ],
    [
      'contents beside raw ones',
      { modelName: 'm', inputs: [{ ...one, contents }], rawInputContents: [new Uint8Array(4)] },
      'TENSOR_TYPE',
      /^contents field must not be specified when using raw_input_contents for 'x' for model 'm'$/,
    ],
    [
      'raw contents that are too short',
      { inputs: [one], rawInputContents: [new Uint8Array(3)] },
      'TENSOR_SHAPE',
      /^Cannot use input "x": Cannot fill shape \[1\] of float: expected 4 bytes, found 3$/,
    ],
    ['no contents', { inputs: [one] }, 'TENSOR_SHAPE', /expected 1 elements in fp32_contents, found 0$/],
    ['one element for many', { inputs: [{ ...one, shape: [2n], contents }] }, 'TENSOR_SHAPE', /2 elements .* found 1$/],
    [
      'another datatype',
      { inputs: [{ ...one, datatype: 'BF16' }] },
      'TENSOR_TYPE',
      /datatype "BF16": expected one of BOOL/,
    ],
    ['FP16 that is not raw', { inputs: [{ ...one, datatype: 'FP16', contents }] }, 'TENSOR_TYPE', /of FP16: only raw$/],
    ['a negative length', { inputs: [{ ...one, shape: [-1n] }] }, 'TENSOR_SHAPE', /Shape \[-1\] is not fully defined$/],
    [
      'a million dimensions',
      { inputs: [{ ...one, shape: new Array<bigint>(1e6).fill(1n), contents }] },
      'TENSOR_SHAPE',
      /^Cannot use input "x": Cannot use a tensor of 1000000 dimensions: at most 254$/,
    ],
    ['a huge length', { inputs: [{ ...one, shape: [2n ** 62n] }] }, 'TENSOR_SHAPE', /is too large$/],
    [
      'a value that does not fit',
      { inputs: [{ ...one, datatype: 'UINT8', contents: { uintContents: [256] } }] },
      'TENSOR_VALUE',
      /^Cannot use input "x": Cannot use 256 as an element of uint8 in uint_contents: it does not fit$/,
    ],
  ]
  for (const [what, init, code, message] of wrong) {
    it(`refuses ${what}`, () => assert.throws(() => parseModelInferRequest(toBytes(init)), { code, message }))
  }

  it('tells no rows where the first input has none that count', () => {
    for (const shape of [[], [-1n], [2n ** 60n]])
      assert.equal(peekModelInferRequest(toBytes({ inputs: [{ ...one, shape }] })).rows, undefined)
  })

  it('is a TensorError, and nothing else, where a byte of it is another', () => {
    const valid = toBytes({
      modelName: 'mlp',
      parameters: { p: { parameterChoice: { case: 'doubleParam', value: 0.5 } } },
      inputs: [
        { ...one, contents },
        { name: 's', datatype: 'BYTES', shape: [1n], contents: { bytesContents: [Buffer.from('é')] } },
      ],
      outputs: [{ name: 'y' }],
    })
    fc.assert(
      fc.property(anyDamage(valid), bytes => {
        attempt(() => parseModelInferRequest(bytes))
        attempt(() => peekModelInferRequest(bytes))
      }),
      { numRuns: 6000 },
    )
  })
})

describe('ModelInferResponse', () => {
  it('is written and read as the generated code reads and writes it, raw and typed', () => {
    fc.assert(
      fc.property(anyHead, anyTensors, fc.boolean(), (head, outputs, wantsRaw) => {
        const isRaw = outputs.length > 0 && (wantsRaw || outputs.some(({ tensor }) => tensor.dtype === 'float16'))
        const bytes = toModelInferResponse({ ...head, outputs, isRaw: wantsRaw })
        const wanted = create(ModelInferResponseSchema, {
          ...head,
          parameters: toInferParameters(head.parameters),
          outputs: outputs.map(output => toInferTensor(output, isRaw)),
          rawOutputContents: isRaw ? outputs.map(({ tensor }) => toRaw(tensor)) : [],
        })
        assert.deepEqual(new Uint8Array(bytes), toBinary(ModelInferResponseSchema, wanted))
        assert.deepEqual(parseModelInferResponse(bytes), { ...head, outputs, isRaw })
        assert.deepEqual(peekModelInferResponse(bytes), { ...head, rows: outputs[0]?.tensor.shape[0] })
      }),
      { numRuns: 500 },
    )
  })
})

describe('parseModelInferResponse()', () => {
  it('takes what is raw of an answer that has both', () => {
    const bytes = toBinary(
      ModelInferResponseSchema,
      create(ModelInferResponseSchema, {
        outputs: [{ name: 'y', datatype: 'FP32', shape: [1n], contents: { fp32Contents: [1] } }],
        rawOutputContents: [new Uint8Array(Float32Array.of(2).buffer)],
      }),
    )
    const [output] = parseModelInferResponse(bytes).outputs
    assert.deepEqual(output?.tensor, { dtype: 'float32', shape: [1], data: Float32Array.of(2) })
  })
})

/** Entries in the order in which an object, which the generated code uses, has them. */
function toOrdered(entries: readonly [string, ParameterValue][]): Parameters {
  return new Map(Object.entries(Object.fromEntries(entries)))
}
