import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { InferenceSession } from 'onnxruntime-node'
import { RegattaError } from '../core/errors.ts'
import { readOnnxSignature } from './onnx.ts'
import { bytes, text, toLinearModel, value, varint } from './testing/onnx-model.ts'

const model = toLinearModel({ weight: 2, metadata: { author: 'ada' } })
const opset = bytes(8, varint(2, 13))
const toModel = (graph: number[]): Uint8Array => Uint8Array.from([...varint(1, 8), ...opset, ...bytes(7, graph)])

describe('readOnnxSignature()', () => {
  it('reads the format, the operator sets, the values and the metadata', () => {
    assert.deepEqual(readOnnxSignature(model), {
      irVersion: 8,
      opsets: [{ domain: '', version: 13 }],
      inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 1] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 1] }],
      metadata: { author: 'ada' },
    })
  })

  it('agrees with ONNX Runtime on what a caller passes and gets', async () => {
    const old = toLinearModel({ weight: 2, weightAsInput: true })
    const session = await InferenceSession.create(old, { logSeverityLevel: 3 })
    const signature = readOnnxSignature(old)
    assert.deepEqual(
      signature.inputs.map(input => input.name),
      session.inputNames,
    )
    assert.deepEqual(
      signature.outputs.map(output => [output.name, output.dtype, output.shape]),
      session.outputMetadata.map(output => (output.isTensor ? [output.name, output.type, output.shape] : [])),
    )
    await session.release()
  })

  const shapes = [
    ['an open rank', value('y', 7, null), { name: 'y', dtype: 'int64', shape: null }],
    ['a scalar', value('y', 11, []), { name: 'y', dtype: 'float64', shape: [] }],
    ['any size', value('y', 9, [null, 3]), { name: 'y', dtype: 'bool', shape: [null, 3] }],
    ['-1 as any size', value('y', 8, [-1]), { name: 'y', dtype: 'string', shape: [null] }],
    ['a sequence', [...text(1, 'y'), ...bytes(2, bytes(4, []))], { name: 'y', dtype: 'sequence', shape: null }],
  ] as const
  for (const [name, output, wanted] of shapes) {
    it(`reads ${name}`, () => {
      assert.deepEqual(readOnnxSignature(toModel(bytes(12, output))).outputs, [wanted])
    })
  }

  const latin = (content: string): Uint8Array => Uint8Array.from(Buffer.from(content, 'latin1'))
  const refused = [
    ['an empty file', new Uint8Array(), /found an empty file/],
    ['a PyTorch file', latin('PK\x03\x04rest'), /torch\.save/],
    ['an HDF5 file', latin('\x89HDF\r\n'), /Keras/],
    ['a pickle', latin('\x80\x04'), /pickle/],
    ['JSON', latin('{"a":1}'), /found JSON/],
    ['a Git LFS pointer', latin('version https://git-lfs.github.com/spec/v1\n'), /Git LFS/],
    ['another protobuf message', Uint8Array.from(text(3, 'hello')), /ir_version/],
    ['a model without a graph', Uint8Array.from([...varint(1, 8), ...opset]), /no graph/],
    ['two graphs', Uint8Array.from([...model, ...bytes(7, [])]), /2 graphs/],
    ['a graph without outputs', toModel([]), /without outputs/],
    ['an element type that ONNX lacks', toModel(bytes(12, value('y', 99, []))), /element type 99 for "y"/],
    ['a value without a type', toModel(bytes(12, text(1, 'y'))), /no type for "y"/],
    ['a cut-off model', model.subarray(0, model.length - 30), /cut off/],
    ['text that is not UTF-8', toModel(bytes(12, bytes(1, [0xff]))), /not UTF-8/],
  ] as const
  for (const [name, input, message] of refused) {
    it(`refuses ${name}`, () => {
      assert.throws(() => readOnnxSignature(input), { name: 'RegattaError', code: 'ONNX_FORMAT', message })
    })
  }

  const readsOrRefuses = (input: Uint8Array): void => {
    try {
      readOnnxSignature(input)
    } catch (error) {
      assert.ok(error instanceof RegattaError && error.code === 'ONNX_FORMAT', String(error))
    }
  }

  it('refuses every true prefix of a model or reads it, and nothing else', () => {
    for (let end = 0; end < model.length; end++) readsOrRefuses(model.subarray(0, end))
  })

  it('reads or refuses any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), readsOrRefuses), { numRuns: 500 })
  })

  it('reads or refuses a model with any bytes overwritten', () => {
    const place = fc.tuple(fc.nat(model.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(place, { minLength: 1, maxLength: 4 }), places => {
        const damaged = Uint8Array.from(model)
        for (const [at, byte] of places) damaged[at] = byte
        readsOrRefuses(damaged)
      }),
      { numRuns: 500 },
    )
  })
})
