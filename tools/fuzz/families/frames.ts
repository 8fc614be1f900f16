import { FRAME, toCallHead, toData, toFrame, toWord } from '../../../src/core/http2/testing/frames.ts'
import type { FramesCase } from '../case.ts'
import type { Draw } from '../draw.ts'
import { CALL_SEEDS, toPrefixed } from './call.ts'
import { damage } from './damage.ts'
import { INFER_STREAM } from './stream.ts'

const CONTINUATION = 9
const END_HEADERS = 4
const settings = toFrame(FRAME.settings, 0)
const [path, message] = CALL_SEEDS.infer
const head = (stream: number): Buffer => toCallHead(stream, { ':path': path })
const call = (stream: number): Buffer => Buffer.concat([head(stream), toData(stream, toPrefixed(message), true)])
const repeat = (count: number, make: (at: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, at) => make(at)))

/** A block of HPACK in a frame of headers. */
const block = (stream: number, bytes: Uint8Array, flags = END_HEADERS): Buffer =>
  toFrame(FRAME.headers, stream, bytes, flags)

/** A header that enters the table with 4,000 bytes, and then is said again by its index, one byte each time. */
const hpackBomb = (): Buffer => {
  const value = Buffer.alloc(4000, 'a')
  const entry = Buffer.concat([Buffer.of(0x40, 1, 0x78, 0x7f, 0xa1, 0x1e), value])
  return Buffer.concat([block(1, entry), repeat(50, at => block(3 + 2 * at, Buffer.alloc(16_000, 0xbe)))])
}

/** What HTTP/2 forbids, or bounds. Sources: RFC 9113, RFC 7541, and the names under which attacks became known. */
const ATTACKS: Readonly<Record<string, (draw: Draw) => Buffer>> = {
  'index of HPACK that is not there': () => block(1, Buffer.of(0xff, 0xff, 0xff, 0x7f)),
  'index 0 of HPACK': () => block(1, Buffer.of(0x80)),
  'endless integer of HPACK': () => block(1, Buffer.alloc(200, 0xff)),
  'table of HPACK larger than allowed': () => block(1, Buffer.of(0x3f, 0xff, 0xff, 0xff, 0x7f)),
  'wrong Huffman code': () => block(1, Buffer.from('008a1d4e42f67a1d8afcf3ffff8aff00ff', 'hex')),
  'HPACK bomb': hpackBomb,
  'flood of CONTINUATION': () =>
    Buffer.concat([
      block(1, Buffer.of(0, 1, 0x78, 1, 0x79), 0),
      repeat(3000, () => toFrame(CONTINUATION, 1, Buffer.of(0, 1, 0x78, 1, 0x79))),
    ]),
  'CONTINUATION of nothing': () => toFrame(CONTINUATION, 1, Buffer.alloc(3), END_HEADERS),
  'frame between HEADERS and CONTINUATION': () =>
    Buffer.concat([block(1, Buffer.of(0x83), 0), toFrame(FRAME.ping, 0, Buffer.alloc(8))]),
  'rapid reset': () =>
    repeat(2000, at => Buffer.concat([head(2 * at + 1), toFrame(FRAME.reset, 2 * at + 1, toWord(8))])),
  'thousands of streams': () => repeat(5000, at => head(2 * at + 1)),
  'flood of SETTINGS': () => repeat(2000, () => settings),
  'flood of PING': () => repeat(2000, () => toFrame(FRAME.ping, 0, Buffer.alloc(8))),
  'flood of empty DATA': () => Buffer.concat([head(1), repeat(5000, () => toData(1, Buffer.alloc(0)))]),
  'flood of PRIORITY': () => repeat(2000, at => toFrame(2, 2 * at + 1, Buffer.alloc(5))),
  'window of zero': () =>
    Buffer.concat([toFrame(FRAME.settings, 0, Buffer.from('000400000000', 'hex')), repeat(50, at => call(2 * at + 1))]),
  'window beyond its range': () =>
    Buffer.concat([head(1), repeat(2, () => toFrame(FRAME.windowUpdate, 0, toWord(0x7fffffff)))]),
  'window update of zero': () => Buffer.concat([head(1), toFrame(FRAME.windowUpdate, 1, toWord(0))]),
  'initial window beyond its range': () => toFrame(FRAME.settings, 0, Buffer.from('0004ffffffff', 'hex')),
  'largest frame of no size': () => toFrame(FRAME.settings, 0, Buffer.from('000500000000', 'hex')),
  'frame longer than allowed': () => Buffer.concat([head(1), toFrame(FRAME.data, 1, Buffer.alloc(20_000))]),
  'frame that lies of its length': () =>
    Buffer.concat([Buffer.of(0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1), Buffer.alloc(64)]),
  'DATA on an idle stream': () => toData(7, Buffer.alloc(8)),
  'message of a stream after its end': () =>
    Buffer.concat([
      toCallHead(1, { ':path': INFER_STREAM }),
      toData(1, toPrefixed(message), true),
      toData(1, toPrefixed(message), true),
    ]),
  'streams that are reset in the middle': () =>
    repeat(400, at => {
      const stream = 2 * at + 1
      const begun = Buffer.concat([toPrefixed(message), toPrefixed(message).subarray(0, 9)])
      const parts = [toCallHead(stream, { ':path': INFER_STREAM }), toData(stream, begun)]
      return Buffer.concat([...parts, toFrame(FRAME.reset, stream, toWord(8))])
    }),
  'DATA after the end': () => Buffer.concat([call(1), toData(1, Buffer.alloc(8))]),
  'HEADERS on an even stream': () => head(2),
  'HEADERS on an earlier stream': () => Buffer.concat([head(5), head(3)]),
  'HEADERS on stream 0': () => head(0),
  'padding longer than its frame': () => toFrame(FRAME.data, 1, Buffer.of(200, 1, 2), 8),
  'SETTINGS of a wrong length': () => toFrame(FRAME.settings, 0, Buffer.alloc(5)),
  'PUSH_PROMISE of a client': () => toFrame(5, 1, Buffer.alloc(8), END_HEADERS),
  'unknown frames': draw =>
    repeat(50, () => toFrame(draw.between(10, 255), draw.below(9), draw.bytes(draw.below(50)), draw.below(256))),
  'no pseudo-headers': () => block(1, Buffer.of(0, 1, 0x78, 1, 0x79)),
  'no path': () => toCallHead(1, { ':path': '' }),
  'capitals in a name': () => toCallHead(1, { ':path': path, 'X-Caps': 'a' }),
  'headers of HTTP/1': () => toCallHead(1, { ':path': path, connection: 'close', 'transfer-encoding': 'chunked' }),
  'length of the body that lies': () =>
    Buffer.concat([toCallHead(1, { ':path': path, 'content-length': '3' }), toData(1, toPrefixed(message), true)]),
  'line breaks in a value': () => toCallHead(1, { ':path': path, x: 'a\r\nb: c' }),
  'half a message, then nothing': () => Buffer.concat([head(1), toData(1, toPrefixed(message).subarray(0, 9))]),
}

const NO_HTTP2: readonly Buffer[] = [
  'GET / HTTP/1.1\r\nhost: x\r\n\r\n',
  'POST /v1/models/m:predict HTTP/1.1\r\nhost: x\r\ncontent-length: 99999\r\n\r\n{',
  'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n',
  '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03',
  '\0'.repeat(100),
].map(text => Buffer.from(text, 'latin1'))

/** Wrong HTTP/2. */
export function toFramesCase(draw: Draw): FramesCase {
  const base = { door: 'frames', hasPreface: true } as const
  if (draw.chance(0.1)) {
    const bytes = draw.chance(0.5) ? draw.pick(NO_HTTP2) : draw.bytes(draw.between(1, 100))
    return { ...base, family: 'no HTTP/2', hasPreface: false, bytes }
  }
  const [name, attack] = draw.pick(Object.entries(ATTACKS))
  const bytes = attack(draw)
  if (draw.chance(0.7)) return { ...base, family: name, bytes }
  return {
    ...base,
    family: 'damaged frames',
    bytes: damage(draw, Buffer.concat([call(1), bytes.subarray(0, 20_000), call(101)])),
  }
}
