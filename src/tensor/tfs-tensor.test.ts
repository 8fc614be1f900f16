import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import fc from 'fast-check'
import { DTYPES } from './dtype.ts'
import { DataType, TensorProtoSchema } from './generated/tensorflow/tensor_pb.js'
import type { Tensor } from './tensor.ts'
import { anyTensor } from './testing/any-tensor.ts'
import { toTensorProto } from './testing/generated-forms.ts'
import { parseTfsTensor, TFS_ELEMENTS, toTfsTensor } from './tfs-tensor.ts'

type Init = MessageInitShape<typeof TensorProtoSchema>
const parse = (init: Init): Tensor => parseTfsTensor(toBinary(TensorProtoSchema, create(TensorProtoSchema, init)))
const dims = (...sizes: readonly number[]) => ({ dim: sizes.map(size => ({ size: BigInt(size) })) })

describe('TFS_ELEMENTS', () => {
  it('has the numbers of the messages', () => {
    for (const [dtype, { field, name, type }] of Object.entries(TFS_ELEMENTS)) {
      assert.equal(DataType[type], DTYPES[dtype as keyof typeof TFS_ELEMENTS].tfs)
      assert.equal(TensorProtoSchema.fields.find(known => known.number === field)?.name, name)
    }
  })
})

describe('toTfsTensor()', () => {
  it('writes the bytes that the generated code writes, for every type', () => {
    fc.assert(
      fc.property(anyTensor, tensor => {
        const wanted = toBinary(TensorProtoSchema, toTensorProto(tensor))
        assert.deepEqual(new Uint8Array(toTfsTensor(tensor)), wanted)
      }),
      { numRuns: 1000 },
    )
  })

  it('writes tensor_content that reads back', () => {
    fc.assert(
      fc.property(anyTensor, tensor => {
        const bytes = toTfsTensor(tensor, { asContent: true })
        assert.deepEqual(parseTfsTensor(bytes), tensor)
        assert.equal(fromBinary(TensorProtoSchema, bytes).tensorContent.length > 0, tensor.data.length > 0)
      }),
    )
  })
})

describe('parseTfsTensor()', () => {
  it('reads the bytes that the generated code writes, for every type', () => {
    fc.assert(
      fc.property(anyTensor, tensor => {
        assert.deepEqual(parseTfsTensor(toBinary(TensorProtoSchema, toTensorProto(tensor))), tensor)
      }),
      { numRuns: 1000 },
    )
  })

  it('reads elements in packs and on their own, mixed, around the other fields', () => {
    const anyPacks = fc.array(fc.record({ packed: fc.boolean(), values: fc.array(fc.integer(), { maxLength: 5 }) }))
    fc.assert(
      fc.property(anyPacks, fc.constantFrom<'int_val' | 'float_val'>('int_val', 'float_val'), (packs, field) => {
        const { number, wire, put } = FIELDS[field]
        const writer = new BinaryWriter()
        for (const { packed, values } of packs) {
          if (packed)
            values.reduce((w, value) => put(w, value), writer.tag(number, WireType.LengthDelimited).fork()).join()
          else for (const value of values) put(writer.tag(number, wire), value)
          writer.tag(99, WireType.Varint).int32(1)
        }
        const values = packs.flatMap(pack => pack.values)
        const head = toBinary(
          TensorProtoSchema,
          create(TensorProtoSchema, { dtype: FIELDS[field].dtype, tensorShape: dims(values.length) }),
        )
        const tensor = parseTfsTensor(Buffer.concat([writer.finish(), head]))
        assert.deepEqual([...tensor.data], values.map(FIELDS[field].toElement))
      }),
    )
  })

  it('repeats the last element where the shape has room', () => {
    const floats = { dtype: DataType.DT_FLOAT, tensorShape: dims(2, 3) }
    assert.deepEqual(parse({ ...floats, floatVal: [1.5] }).data, new Float32Array(6).fill(1.5))
    assert.deepEqual(parse({ ...floats, floatVal: [1, 2] }).data, Float32Array.of(1, 2, 2, 2, 2, 2))
    const int64 = { dtype: DataType.DT_INT64, tensorShape: dims(1000), int64Val: [-5n, 7n] }
    assert.deepEqual(parse(int64).data, new BigInt64Array(1000).fill(7n).fill(-5n, 0, 1))
    const texts = { dtype: DataType.DT_STRING, tensorShape: dims(3), stringVal: [Buffer.from('é')] }
    assert.deepEqual(parse(texts).data, ['é', 'é', 'é'])
  })

  it('takes a missing shape for that of a scalar', () => {
    assert.deepEqual(parse({ dtype: DataType.DT_HALF, halfVal: [0xfc00] }), {
      dtype: 'float16',
      shape: [],
      data: Uint16Array.of(0xfc00),
    })
  })

  const golden: readonly [what: string, hex: string, tensor: Tensor][] = [
    [
      'int64',
      '0809120412020803521dffffffffffffffffff0180808080808080804080808080808080808001',
      { dtype: 'int64', shape: [3], data: BigInt64Array.of(-1n, 2n ** 62n, -(2n ** 63n)) },
    ],
    [
      'uint64',
      '08171204120208028a0112ffffffffffffffffff018080808080808010',
      { dtype: 'uint64', shape: [2], data: BigUint64Array.of(2n ** 64n - 1n, 2n ** 53n) },
    ],
    [
      'int8',
      '08061204120208033a0c80ffffffffffffffff01007f',
      { dtype: 'int8', shape: [3], data: Int8Array.of(-128, 0, 127) },
    ],
    ['half', '081312006a0380f803', { dtype: 'float16', shape: [], data: Uint16Array.of(0xfc00) }],
    ['string', '080712041202080242004202c3a9', { dtype: 'string', shape: [2], data: ['', 'é'] }],
  ]
  for (const [what, hex, tensor] of golden) {
    it(`reads and writes ${what} as Python's protobuf does with TensorFlow's own descriptors`, () => {
      assert.deepEqual(parseTfsTensor(Buffer.from(hex, 'hex')), tensor)
      assert.equal(Buffer.from(toTfsTensor(tensor)).toString('hex'), hex)
    })
  }

  const float = DataType.DT_FLOAT
  const string = DataType.DT_STRING
  const wrong: readonly [what: string, init: Init, message: RegExp][] = [
    ['no type', { floatVal: [1] }, /^Cannot use a tensor of DataType 0$/],
    ['a type that no model has', { dtype: DataType.DT_COMPLEX64 }, /^Cannot use a tensor of DataType 8$/],
    ['unknown rank', { dtype: float, tensorShape: { unknownRank: true } }, /of unknown rank$/],
    ['a negative length', { dtype: float, tensorShape: dims(-1, 4) }, /^Shape \[-1,4\] is not fully defined$/],
    ['too many elements', { dtype: float, tensorShape: dims(2 ** 40, 2 ** 40) }, /is too large$/],
    ['a length beside a 0', { dtype: float, tensorShape: { dim: [{ size: 2n ** 60n }, {}] } }, /is too large$/],
    ['255 dimensions', { dtype: float, tensorShape: dims(...new Array<number>(255).fill(1)) }, /at most 254$/],
    ['no elements', { dtype: float, tensorShape: dims(1) }, /expected 1 elements in float_val, found 0$/],
    ['more elements', { dtype: float, floatVal: [1, 2] }, /expected 1 elements in float_val, found 2$/],
    ['elements of another type', { dtype: float, intVal: [1] }, /expected 1 elements in float_val, found 0$/],
    ['a huge repetition', { dtype: float, tensorShape: dims(2 ** 25), floatVal: [1] }, /: too large$/],
    [
      'a huge repetition of a text',
      { dtype: string, tensorShape: dims(2 ** 24), stringVal: [Buffer.of(65)] },
      /too large$/,
    ],
    [
      'a value that does not fit',
      { dtype: DataType.DT_INT8, intVal: [128] },
      /^Cannot use 128 as an element of int8 in int_val/,
    ],
    ['a value below 0', { dtype: DataType.DT_UINT16, intVal: [-1] }, /^Cannot use -1 as an element of uint16/],
    ['a text that is not UTF-8', { dtype: string, stringVal: [Buffer.of(0xff)] }, /is not UTF-8$/],
    ['content that is too short', { dtype: float, tensorContent: Buffer.of(1) }, /expected 4 bytes, found 1$/],
    [
      'text content without lengths',
      { dtype: string, tensorShape: dims(9), tensorContent: Buffer.of(1) },
      /the lengths of 9 texts, found 1 bytes$/,
    ],
    [
      'text content that is too long',
      { dtype: string, tensorContent: Buffer.of(0, 65) },
      /expected 0 bytes of 1 texts, found 1 bytes$/,
    ],
  ]
  for (const [what, init, message] of wrong) {
    it(`refuses ${what}`, () => assert.throws(() => parse(init), { name: 'TensorError', message }))
  }

  it('refuses a pack of floats that ends within one', () => {
    assert.throws(() => parseTfsTensor(Uint8Array.of(0x08, 1, 0x2a, 3, 0, 0, 0)), { code: 'TENSOR_MESSAGE' })
  })
})

const FIELDS = {
  int_val: {
    number: 7,
    dtype: DataType.DT_INT32,
    wire: WireType.Varint,
    put: (writer: BinaryWriter, value: number) => writer.int32(value),
    toElement: (value: number) => value,
  },
  float_val: {
    number: 5,
    dtype: DataType.DT_FLOAT,
    wire: WireType.Bit32,
    put: (writer: BinaryWriter, value: number) => writer.float(value),
    toElement: Math.fround,
  },
} as const
