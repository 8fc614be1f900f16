import type { WireCase } from '../case.ts'
import type { Draw } from '../draw.ts'
import { damage } from './damage.ts'

const TARGET = '/v1/models/m:predict'
const BODY = '{"instances":[[1,2,3,4]]}'
/** A request that nobody sent, if the body before it ends where it says. */
const HIDDEN = 'POST /v1/models/smuggled:predict HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}'
const CHUNKED = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`

const toRequest = (headers: readonly string[], body = '', line = `POST ${TARGET} HTTP/1.1`): string =>
  `${[line, 'host: x', ...headers].join('\r\n')}\r\n\r\n${body}`

const SMUGGLING: readonly string[] = [
  // Two lengths: RFC 9112, section 6.3.
  toRequest([`content-length: ${BODY.length}`, 'transfer-encoding: chunked'], `0\r\n\r\n${HIDDEN}`),
  toRequest(['transfer-encoding: chunked', 'content-length: 4'], `${CHUNKED}${HIDDEN}`),
  toRequest([`content-length: ${BODY.length}`, `content-length: ${BODY.length + HIDDEN.length}`], BODY + HIDDEN),
  toRequest([`content-length: ${BODY.length}, ${BODY.length + 1}`], `${BODY} `),
  toRequest(['content-length: +25'], BODY),
  toRequest(['content-length: -1'], BODY),
  toRequest(['content-length: 0x19'], BODY),
  toRequest(['content-length: 25a'], BODY),
  toRequest(['content-length: 99999999999999999999999'], BODY),
  toRequest(['content-length: '], BODY),
  toRequest(['content-length : 25'], BODY),
  toRequest([' content-length: 25'], BODY),
  toRequest(['content-length\t: 25'], BODY),
  // Encodings of the transfer: section 6.1, and the names under which they hide.
  toRequest(['transfer-encoding: xchunked'], CHUNKED),
  toRequest(['transfer-encoding : chunked'], CHUNKED),
  toRequest(['transfer-encoding: chunked', 'transfer-encoding: identity'], CHUNKED),
  toRequest(['transfer-encoding: identity, chunked, identity'], CHUNKED),
  toRequest(['transfer-encoding: chunked, gzip'], CHUNKED),
  toRequest(['transfer-encoding:\x0bchunked'], CHUNKED),
  toRequest(['transfer-encoding: "chunked"'], CHUNKED),
  toRequest(['transfer-encoding:\n chunked'], CHUNKED),
  // Chunks: section 7.1.
  toRequest(['transfer-encoding: chunked'], `x\r\n${BODY}\r\n0\r\n\r\n`),
  toRequest(['transfer-encoding: chunked'], `-1\r\n${BODY}\r\n0\r\n\r\n`),
  toRequest(['transfer-encoding: chunked'], `0x19\r\n${BODY}\r\n0\r\n\r\n`),
  toRequest(['transfer-encoding: chunked'], `fffffffffffffffff\r\n${BODY}\r\n0\r\n\r\n`),
  toRequest(['transfer-encoding: chunked'], `19\r\n${BODY}xx0\r\n\r\n`),
  toRequest(['transfer-encoding: chunked'], `5\r\n${BODY}\r\n0\r\n\r\n`),
  toRequest(['transfer-encoding: chunked'], `19;${'a'.repeat(40_000)}\r\n${BODY}\r\n0\r\n\r\n`),
  // Lines: sections 2.2, 3 and 5.
  toRequest(['x-folded: a\r\n b', `content-length: ${BODY.length}`], BODY),
  toRequest(['\x00x: a', `content-length: ${BODY.length}`], BODY),
  toRequest(['x: a\x00b', `content-length: ${BODY.length}`], BODY),
  toRequest(['x: a\rb', `content-length: ${BODY.length}`], BODY),
  toRequest(['no colon', `content-length: ${BODY.length}`], BODY),
  toRequest([': no name', `content-length: ${BODY.length}`], BODY),
  toRequest(['a b: c', `content-length: ${BODY.length}`], BODY),
  toRequest([], '', `POST ${TARGET}`),
  toRequest([], '', `POST ${TARGET} HTTP/1.1 more`),
  toRequest([], '', `POST ${TARGET} HTTP/9.9`),
  toRequest([], '', `POST  ${TARGET} HTTP/1.1`),
  toRequest([], '', `POST ${TARGET}\0 HTTP/1.1`),
  toRequest([], '', `NOSUCH ${TARGET} HTTP/1.1`),
  toRequest([], '', ` POST ${TARGET} HTTP/1.1`),
  toRequest([`x-long: ${'a'.repeat(100_000)}`], ''),
  `GET ${'/a'.repeat(50_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
  toRequest(
    Array.from({ length: 5000 }, (_, at) => `x-${at}: ${at}`),
    '',
  ),
  `GET / HTTP/1.1\r\n\r\n`,
]

/** What may be read in more than one way without harm. */
const TOLERATED: readonly string[] = [
  toRequest([`content-length: ${BODY.length}`, `content-length: ${BODY.length}`], BODY),
  toRequest(['transfer-encoding: chunked'], `19;a=b;c="d"\r\n${BODY}\r\n0\r\n\r\n`),
  toRequest(['transfer-encoding: chunked'], `0000019\r\n${BODY}\r\n0\r\nx-trailer: a\r\ncontent-length: 9\r\n\r\n`),
  toRequest(['transfer-encoding: CHUNKED'], CHUNKED),
  toRequest(['transfer-encoding: gzip, chunked'], CHUNKED),
  toRequest(['host: y', `content-length: ${BODY.length}`], BODY),
  toRequest(['connection: close, transfer-encoding', 'transfer-encoding: chunked'], CHUNKED),
  toRequest([`content-length: ${BODY.length}`], BODY, `POST http://other/${TARGET} HTTP/1.1`),
  toRequest([`content-length: ${BODY.length}`], BODY, `POST ${TARGET} HTTP/1.0`),
  toRequest([], '', 'CONNECT a:443 HTTP/1.1'),
  toRequest([], '', 'OPTIONS * HTTP/1.1'),
  toRequest(['upgrade: websocket', 'connection: upgrade', 'sec-websocket-key: a']),
  toRequest(['expect: 100-continue', `content-length: ${BODY.length}`], BODY),
  `\r\n\r\n${toRequest([`content-length: ${BODY.length}`], BODY)}`,
  `POST ${TARGET} HTTP/1.1\nhost: x\ncontent-length: ${BODY.length}\n\n${BODY}`,
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
  '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03',
]

/** Wrong framing of HTTP/1.1: smuggling, damaged lines, bytes of other protocols, requests that break off. */
export function toWireCase(draw: Draw): WireCase {
  if (draw.chance(0.5)) {
    const bytes = Buffer.from(draw.pick(SMUGGLING), 'latin1')
    return { door: 'wire', family: 'smuggling', wanted: 'refused', bytes }
  }
  const whole = Buffer.from(draw.pick(draw.chance(0.5) ? TOLERATED : SMUGGLING), 'latin1')
  if (draw.chance(0.3)) return { door: 'wire', family: 'tolerated framing', wanted: 'any', bytes: whole }
  const bytes = draw.chance(0.2) ? draw.bytes(draw.between(1, 300)) : damage(draw, whole)
  return { door: 'wire', family: 'damaged framing', wanted: 'any', bytes }
}
