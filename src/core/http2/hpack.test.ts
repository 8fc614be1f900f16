import assert from 'node:assert/strict'
import { connect, type IncomingHttpHeaders } from 'node:http2'
import { Duplex } from 'node:stream'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FLAG, FRAME, H2FrameReader, toFrameBytes } from './frames.ts'
import { HpackDecoder } from './hpack-decoder.ts'
import { encodeHpack, NO_TABLE } from './hpack-encoder.ts'
import type { HpackField } from './hpack-table.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const decodeAll = (blocks: readonly string[], decoder = new HpackDecoder(10_000)) =>
  blocks.map(block => decoder.decode(hex(block)).fields.map(({ name, value }) => `${name}: ${value}`))

const FIRST = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com']
const SECOND = [...FIRST, 'cache-control: no-cache']
const THIRD = [
  ...[':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com'],
  'custom-key: custom-value',
]
const toAnswer = (status: number, second: number): readonly string[] => [
  ...[`:status: ${status}`, 'cache-control: private', `date: Mon, 21 Oct 2013 20:13:${second} GMT`],
  'location: https://www.example.com',
]
const ANSWERS = [
  toAnswer(302, 21),
  toAnswer(307, 21),
  [
    ...toAnswer(200, 22),
    'content-encoding: gzip',
    'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ],
]

describe('HpackDecoder', () => {
  /** RFC 7541, appendix C; C.5 and C.6 are for a table of 256 bytes, which is said before. */
  const EXAMPLES: readonly [name: string, blocks: readonly string[], wanted: readonly (readonly string[])[]][] = [
    ['C.2.1', ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572'], [['custom-key: custom-header']]],
    ['C.2.2', ['040c 2f73 616d 706c 652f 7061 7468'], [[':path: /sample/path']]],
    ['C.2.3', ['1008 7061 7373 776f 7264 0673 6563 7265 74'], [['password: secret']]],
    ['C.2.4', ['82'], [[':method: GET']]],
    [
      'C.3',
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
      [FIRST, SECOND, THIRD],
    ],
    [
      'C.4',
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
      [FIRST, SECOND, THIRD],
    ],
    [
      'C.5',
      [
        `3fe1 01 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120
        474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
        '4803 3330 37c1 c0bf',
        `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f
        6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b
        2076 6572 7369 6f6e 3d31`,
      ],
      ANSWERS,
    ],
    [
      'C.6',
      [
        `3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad
        1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
        '4883 640e ffc1 c0bf',
        `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335
        dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
      ],
      ANSWERS,
    ],
  ]
  for (const [name, blocks, wanted] of EXAMPLES)
    it(`reads example ${name} of RFC 7541`, () =>
      assert.deepEqual(decodeAll(blocks.map(block => block.replaceAll('\n', ''))), wanted))

  const WRONG: readonly [name: string, blocks: readonly string[]][] = [
    ['index 0', ['80']],
    ['an index that is not there', ['be']],
    ['an index that was evicted', ['4001 6101 62', '20', 'be']],
    ['a name of an index that is not there', ['7f00 0161']],
    ['a number without its end', ['ff']],
    ['a number of five bytes', ['ff80 8080 8001']],
    ['a text without its end', ['0001 6105 62']],
    ['a literal without a value', ['0001 61']],
    ['a table larger than allowed', ['3fe2 1f']],
    ['a table that is resized after a field', ['8220']],
    ['a table that is resized three times', ['2020 20']],
    ['Huffman padding of a whole byte', ['0001 6182 1fff']],
    ['Huffman padding of zeroes', ['0001 6181 18']],
    ['the end of Huffman in a text', ['0001 6184 ffff ffff']],
  ]
  for (const [name, blocks] of WRONG)
    it(`refuses ${name}`, () => assert.throws(() => decodeAll(blocks), { name: 'H2Error', code: 'COMPRESSION_ERROR' }))

  it('gives no more fields than the limit, and keeps its table right', () => {
    const decoder = new HpackDecoder(100)
    assert.deepEqual(decoder.decode(hex(`4001 7a7f 21${'61'.repeat(160)}`)), {
      ...{ fields: [], isTooLong: true, isRepeatable: false },
    })
    assert.equal(decoder.decode(Buffer.alloc(10_000, 0xbe)).fields.length, 0)
    assert.deepEqual(decodeAll(['4001 6101 62', 'be'], decoder), [['a: b'], ['a: b']])
    const { fields, isTooLong } = decoder.decode(Buffer.alloc(3, 0xbe))
    assert.deepEqual([fields.length, isTooLong], [2, true])
  })

  it('says which blocks leave its table as it was', () => {
    const decoder = new HpackDecoder(100)
    const isRepeatable = (block: string): boolean => decoder.decode(hex(block)).isRepeatable
    assert.deepEqual(['82', '4001 6101 62', 'be', '0001 6101 62', '2082', ''].map(isRepeatable), [
      true,
      false,
      true,
      true,
      false,
      true,
    ])
  })

  it('keeps no field that is larger than its table, and none beside it', () => {
    const decoder = new HpackDecoder(100_000)
    decodeAll(['4001 6101 62'], decoder)
    decoder.decode(Buffer.concat([hex('4001 7a7f 811f'), Buffer.alloc(4096, 'x')]))
    assert.throws(() => decoder.decode(hex('be')), { code: 'COMPRESSION_ERROR' })
  })
})

/** The other side of a connection of `node:http2`, in memory. */
function openPeer() {
  const chunks: Buffer[] = []
  const peer = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  const session = connect('http://x', { createConnection: () => peer })
  session.on('error', () => {})
  return { peer, session, chunks }
}

const name = fc.stringMatching(/^x-[a-z0-9_.-]{0,30}$/)
const value = fc.oneof(
  fc.stringMatching(/^[!-~]([\t -~]{0,200}[!-~])?$/),
  // One byte of a long code among those of short ones: as a Huffman code it is still shorter.
  fc.integer({ min: 0x80, max: 0xff }).map(byte => `${'a'.repeat(30)}${String.fromCharCode(byte)}${'e'.repeat(30)}`),
)
const heads = fc.array(fc.dictionary(name, value, { maxKeys: 8, noNullPrototype: true }), {
  minLength: 1,
  maxLength: 8,
})
const toRecord = (fields: readonly HpackField[]): Record<string, string> =>
  Object.fromEntries(fields.filter(field => field.name.startsWith('x-')).map(field => [field.name, field.value]))
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('HPACK and node:http2', () => {
  it('reads what node:http2 writes', async () => {
    await fc.assert(
      fc.asyncProperty(heads, fc.integer({ min: 1, max: 100 }), async (all, cut) => {
        const { session, chunks } = openPeer()
        for (const headers of all) session.request(headers).on('error', () => {})
        await turn()
        await turn()
        session.destroy()
        const bytes = Buffer.concat(chunks)
        const reader = new H2FrameReader(true)
        const decoder = new HpackDecoder(100_000)
        const seen: Record<string, string>[] = []
        for (let at = 0; at < bytes.length; at += cut) {
          reader.push(bytes.subarray(at, at + cut))
          for (let frame = reader.next(); frame !== undefined; frame = reader.next())
            if (frame.type === FRAME.headers) seen.push(toRecord(decoder.decode(frame.payload).fields))
        }
        assert.deepEqual(seen, all)
      }),
      { numRuns: 50 },
    )
  })

  it('writes what node:http2 reads', async () => {
    await fc.assert(
      fc.asyncProperty(heads, async all => {
        const { session, peer } = openPeer()
        const seen = all.map(
          () =>
            new Promise<IncomingHttpHeaders>((resolve, reject) =>
              session.request({}).on('response', resolve).on('error', reject),
            ),
        )
        peer.push(toFrameBytes(FRAME.settings, 0, 0, Buffer.of()))
        await turn()
        for (const [at, headers] of all.entries()) {
          const block = encodeHpack({ ':status': '200', ...headers })
          const whole = at === 0 ? Buffer.concat([NO_TABLE, block]) : block
          peer.push(toFrameBytes(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 2 * at + 1, whole))
        }
        const answers = (await Promise.all(seen)).map(answer =>
          Object.fromEntries(Object.entries(answer).filter(([key]) => key.startsWith('x-'))),
        )
        session.destroy()
        assert.deepEqual(answers, all)
      }),
      { numRuns: 50 },
    )
  })
})
