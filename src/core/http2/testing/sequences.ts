import fc from 'fast-check'
import { FLAG, FRAME, toFrameBytes, toWordFrame } from '../frames.ts'

/** A literal whose texts are short; `first` says whether it enters the table (0x40) or not (0x00, 0x10). */
const toField = (first: number, [name, value]: readonly [string, string]): Buffer =>
  Buffer.concat([
    Buffer.of(first),
    ...[name, value].map(text => Buffer.from(`${String.fromCharCode(text.length)}${text}`, 'latin1')),
  ])

type Field = readonly [name: string, value: string]
/** What one side says: what each head has, and what none may have. */
interface Heads {
  readonly good: readonly Field[]
  readonly odd: readonly Field[]
}

const GOOD: readonly Field[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/a.B/C'],
  [':authority', 'x'],
]
const FIELDS: readonly Field[] = [
  ...(['x-a', 'x-b', 'te', 'cookie', 'content-type'] as const).flatMap(name =>
    (['1', 'trailers', 'a b', ''] as const).map(value => [name, value] as const),
  ),
  ['x-high', '\xe4\xff'],
  ['host', 'y'],
  ['content-length', '3'],
]
const ODD_FIELDS: readonly Field[] = [
  ...(['5', 'x', '-1', '3, 3', ''] as const).map(value => ['content-length', value] as const),
  ...(['X-Capital', 'x y', '', 'x:y', 'x\xe4', 'x\0'] as const).map(name => [name, '1'] as const),
  ...([' 1', '1\t', 'a\r\nb', 'a\0b', '\x7f'] as const).map(value => ['x-c', value] as const),
  ['te', 'gzip'],
  ['connection', 'close'],
  ['upgrade', 'h2c'],
  ['transfer-encoding', 'chunked'],
  ['keep-alive', '1'],
  ['proxy-connection', '1'],
]
const REQUESTS: Heads = {
  good: GOOD,
  odd: [
    ...ODD_FIELDS,
    ...(['/other', '', 'x', '*', '/\xe4', '/a b'] as const).map(value => [':path', value] as const),
    ...(['GET', '', 'OPTIONS', 'CONNECT', 'A B'] as const).map(value => [':method', value] as const),
    ...(['', '1', 'a b'] as const).map(value => [':scheme', value] as const),
    ...(['', 'a b', '\x7f'] as const).map(value => [':authority', value] as const),
    [':status', '200'],
    [':protocol', 'websocket'],
    [':x', '1'],
  ],
}
const ANSWERS: Heads = {
  good: [[':status', '200']],
  odd: [
    ...ODD_FIELDS,
    ...(['100', '101', '103', '204', '304', '404', '20', '', '2000', 'abc'] as const).map(s => [':status', s] as const),
    [':path', '/'],
    [':x', '1'],
  ],
}
const TRAILERS: Heads = { good: [], odd: [...ODD_FIELDS, [':status', '200']] }

/** Entries of HPACK behind the fields, of which some are none. */
const TAILS = ['be', 'bf', '82', '84', '0f2b0130', '20', '3fe11f', '5f0161', '80'].map(hex => Buffer.from(hex, 'hex'))

const often = <value>(usual: value, other: fc.Arbitrary<value>, weight = 30): fc.Arbitrary<value> =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, other)

const toBlocks = ({ good, odd }: Heads) =>
  fc
    .record({
      fields: fc.array(fc.constantFrom(...FIELDS), { maxLength: 3 }),
      odds: often<readonly Field[]>(
        [],
        fc.constantFrom(...odd).map(field => [field]),
      ),
      isOddFirst: fc.boolean(),
      dropped: often(-1, fc.nat(3)),
      first: fc.constantFrom(0x00, 0x10, 0x40),
      tail: often(Buffer.alloc(0), fc.constantFrom(...TAILS)),
    })
    .map(({ fields, odds, isOddFirst, dropped, first, tail }) => {
      const rest = good.filter((_, at) => at !== dropped)
      const all = isOddFirst ? [...odds, ...rest, ...fields] : [...rest, ...fields, ...odds]
      return Buffer.concat([...all.map(field => toField(first, field)), tail])
    })

/** Which stream a frame is of: a new one, the last one, or any. */
type Which = 'new' | 'last' | number
/** Makes frames, once it is known which stream is which. */
type Make = (which: (stream: Which) => number) => readonly Buffer[]

const ODD_STREAMS = fc.constantFrom<Which>(...([0, 1, 2, 3, 2 ** 31 - 1, 'new', 'last'] as const))
const end = fc.constantFrom(0, FLAG.endStream)
const padding = often<number | undefined>(undefined, fc.nat(20), 4)

/** The payload with padding, or without, and the flag that says so. */
const toPadded = (payload: Buffer, length: number | undefined): readonly [Buffer, number] =>
  length === undefined ? [payload, 0] : [Buffer.concat([Buffer.of(length), payload, Buffer.alloc(length)]), FLAG.padded]

const toHeads = (heads: Heads, usual: Which, ends: fc.Arbitrary<number> = end): fc.Arbitrary<Make> =>
  fc
    .record({
      stream: often<Which>(usual, ODD_STREAMS),
      end: ends,
      block: toBlocks(heads),
      padding,
      cut: often<number | undefined>(undefined, fc.nat(60), 4),
      isPrior: fc.boolean(),
    })
    .map(({ stream, end, block, padding, cut = block.length, isPrior }) => which => {
      const priority = isPrior ? Buffer.of(0, 0, 0, 0, 16) : Buffer.alloc(0)
      const [payload, padded] = toPadded(Buffer.concat([priority, block.subarray(0, cut)]), padding)
      const flags = end | padded | (isPrior ? FLAG.priority : 0)
      const id = which(stream)
      if (cut >= block.length) return [toFrameBytes(FRAME.headers, flags | FLAG.endHeaders, id, payload)]
      return [
        toFrameBytes(FRAME.headers, flags, id, payload),
        toFrameBytes(FRAME.continuation, FLAG.endHeaders, id, block.subarray(cut)),
      ]
    })

const data: fc.Arbitrary<Make> = fc
  .record({ stream: often<Which>('last', ODD_STREAMS), end, padding, bytes: fc.constantFrom('', 'abc', 'abcde') })
  .map(({ stream, end, padding, bytes }) => which => {
    const [payload, padded] = toPadded(Buffer.from(bytes), padding)
    return [toFrameBytes(FRAME.data, end | padded, which(stream), payload)]
  })

const setting = fc.tuple(fc.nat(7), fc.constantFrom(0, 1, 16_384, 0xffffffff)).map(([name, value]) => {
  const bytes = Buffer.alloc(6)
  bytes.writeUInt16BE(name)
  bytes.writeUInt32BE(value, 2)
  return bytes
})
const other: fc.Arbitrary<Make> = fc.oneof(
  ODD_STREAMS.map<Make>(stream => which => [toWordFrame(FRAME.reset, which(stream), 8)]),
  fc.constant<Make>(() => [toFrameBytes(FRAME.ping, 0, 0, Buffer.alloc(8))]),
  fc.tuple(ODD_STREAMS, fc.constantFrom(0, 1, 0x7fffffff)).map<Make>(([stream, by]) => which => [
    toWordFrame(FRAME.windowUpdate, which(stream), by),
  ]),
  fc.tuple(ODD_STREAMS, fc.constantFrom(0, 1, 3)).map<Make>(([stream, on]) => which => [
    toFrameBytes(FRAME.priority, 0, which(stream), Buffer.of(0, 0, 0, on, 1)),
  ]),
  setting.map<Make>(bytes => () => [toFrameBytes(FRAME.settings, 0, 0, bytes)]),
  fc
    .tuple(fc.nat(255), fc.nat(255), ODD_STREAMS, fc.uint8Array({ maxLength: 12 }))
    .filter(([type, flags]) => type !== FRAME.ping || (flags & FLAG.ack) === 0)
    .map<Make>(([type, flags, stream, bytes]) => which => [toFrameBytes(type, flags, which(stream), bytes)]),
)

/** Frames, most of which make requests or answers; in some sequences one byte is another. */
const toSequences = (...usual: readonly fc.Arbitrary<Make>[]): fc.Arbitrary<readonly Buffer[]> =>
  fc
    .tuple(
      fc.array(fc.oneof(...usual.map(arbitrary => ({ weight: 8, arbitrary })), other), { minLength: 1, maxLength: 10 }),
      often<readonly number[] | undefined>(undefined, fc.tuple(fc.nat(20), fc.nat(30), fc.nat(255)), 4),
    )
    .map(([makes, damage]) => {
      let last = -1
      const frames = makes.flatMap(make =>
        make(which => {
          if (which === 'new') last += 2
          return typeof which === 'number' ? which : Math.max(1, last)
        }),
      )
      return damage === undefined ? frames : toDamaged(frames, damage)
    })

/** Frames of a client. */
export const requestSequences = toSequences(toHeads(REQUESTS, 'new'), data)

/** Frames of a server, which answer no more than ten requests: those on the streams 1, 3, 5, …. */
export const answerSequences = toSequences(
  toHeads(ANSWERS, 'new'),
  data,
  toHeads(TRAILERS, 'last', often(FLAG.endStream, fc.constant(0))),
)

/** One byte of one frame is another. The length stays: frames that begin elsewhere could not be given one by one. */
export function toDamaged(
  frames: readonly Buffer[],
  [which = 0, where = 0, byte = 0]: readonly number[],
): readonly Buffer[] {
  return frames.map((frame, at) => {
    if (at !== which % frames.length) return frame
    const damaged = Buffer.from(frame)
    damaged[3 + (where % (damaged.length - 3))] = byte
    return damaged
  })
}
