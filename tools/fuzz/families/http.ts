import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import type { Headers, HttpCase } from '../case.ts'
import type { Draw } from '../draw.ts'
import { damage } from './damage.ts'
import { SEEDS, toWrongJson } from './json.ts'

type Make = (draw: Draw) => Omit<HttpCase, 'door' | 'family'>

const JSON_TYPE = [['content-type', 'application/json']] as const

/** JSON of wrong types, names, shapes, numbers and depths, and damaged JSON. */
const toJsonCase: Make = draw => {
  const [target, body] = draw.pick(SEEDS)
  const chunked: Headers = draw.chance(0.05) ? [['transfer-encoding', 'chunked']] : []
  return { method: 'POST', target, headers: [...JSON_TYPE, ...chunked], body: toWrongJson(draw, body) }
}

const CSV_PARTS = [
  'a',
  'b',
  '1',
  '2.5',
  '"',
  '""',
  '"a,b"',
  ',',
  ',',
  '\n',
  '\r\n',
  '\n',
  'NaN',
  'é',
  '\0',
  '',
  ' ',
  '1e999',
]

/** Tables that are not such. */
const toCsvCase: Make = draw => {
  const text = Array.from({ length: draw.below(40) }, () => draw.pick(CSV_PARTS)).join('')
  const body = Buffer.from(draw.chance(0.5) ? `a,b,c,d\n${text}` : text)
  const type = draw.pick(['text/csv', 'text/csv; charset=utf-8', 'text/csv;charset=latin1', 'TEXT/CSV'])
  return {
    method: 'POST',
    target: '/invocations',
    headers: [['content-type', type]],
    body: draw.chance(0.3) ? damage(draw, body) : body,
  }
}

const LENGTHS = [
  '-1',
  '0',
  '1',
  '16',
  '99999999',
  '9007199254740993',
  '1e3',
  '0x10',
  'a',
  '',
  ' 5 ',
  '+5',
  '5.0',
  '5,5',
]
const SIZES = [-1, 0, 1, 3, 15, 16, 17, 1e9, 2 ** 53, 1.5, '16', null, [16], true, { a: 1 }]
const SHAPES = [[1, 4], [4], [2, 4], [0, 4], [-1, 4], [1, 4, 1], [], [2 ** 31, 2 ** 31], [1.5, 4], '1,4', null]
const DATATYPES = ['FP32', 'FP64', 'FP16', 'BF16', 'BYTES', 'INT64', 'BOOL', 'UINT8', 'fp32', '', null, 7]

/** Binary tensors whose sizes, shapes, types and lengths of the header lie. */
const toBinaryCase: Make = draw => {
  const name = draw.pick(['m', 'm', 'texts', 'ints', 'mixed'])
  const input = {
    name: draw.pick(['x', 'x', 'x', 'n', '']),
    shape: draw.pick(SHAPES),
    datatype: draw.pick(DATATYPES),
    parameters: { binary_data_size: draw.pick(SIZES) },
    ...(draw.chance(0.2) && { data: [1, 2, 3, 4] }),
  }
  const outputs = [{ name: 'y', parameters: { binary_data: draw.pick([true, false, 1, 'true', null]) } }]
  const json = Buffer.from(JSON.stringify({ inputs: draw.chance(0.2) ? [input, input] : [input], outputs }))
  const tail = draw.chance(0.3) ? toByteElements(draw) : draw.bytes(draw.pick([0, 1, 4, 15, 16, 17, 32]))
  const length = draw.chance(0.5) ? String(json.length) : draw.pick([...LENGTHS, String(json.length + tail.length + 1)])
  return {
    method: 'POST',
    target: `/v2/models/${name}/infer`,
    headers: [
      ['content-type', draw.pick(['application/octet-stream', 'application/json'])],
      ['inference-header-content-length', length],
    ],
    body: Buffer.concat([draw.chance(0.1) ? damage(draw, json) : json, tail]),
  }
}

/** Elements of BYTES, each after its length, which may be another. */
function toByteElements(draw: Draw): Buffer {
  const element = (): Buffer => {
    const bytes = draw.bytes(draw.below(6))
    const head = Buffer.alloc(4)
    head.writeUInt32LE(draw.chance(0.6) ? bytes.length : draw.pick([0xffffffff, 0x7fffffff, bytes.length + 1, 0]))
    return Buffer.concat([head, bytes])
  }
  return Buffer.concat(Array.from({ length: draw.below(4) }, element))
}

/** Zeros that inflate to more than is taken; made once, since they take their time. */
const BOMBS: readonly (readonly [encoding: string, body: Buffer])[] = [
  ['gzip', gzipSync(Buffer.alloc(80 * 1024 * 1024))],
  ['deflate', deflateSync(Buffer.alloc(80 * 1024 * 1024))],
]

/** Bodies that are compressed wrongly, in other ways than they say, or to far less than they become. */
const toEncodedCase: Make = draw => {
  const [target, value] = draw.pick(SEEDS)
  if (draw.chance(0.02)) {
    const [encoding, body] = draw.pick(BOMBS)
    return { method: 'POST', target, headers: [...JSON_TYPE, ['content-encoding', encoding]], body }
  }
  const plain = draw.chance(0.5) ? Buffer.from(JSON.stringify(value)) : toWrongJson(draw, value)
  const packed = draw.pick([gzipSync, deflateSync, deflateRawSync])(plain)
  const encoding = draw.pick([
    'gzip',
    'gzip',
    'deflate',
    'deflate',
    'x-gzip',
    'br',
    'zstd',
    'identity',
    'gzip, gzip',
    '',
    'é',
  ])
  const headers: Headers = [...JSON_TYPE, ['content-encoding', encoding]]
  return { method: 'POST', target, headers, body: draw.chance(0.5) ? damage(draw, packed) : packed }
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'LOCK', 'M-SEARCH']
const SEGMENTS = [
  ...['v1', 'v2', 'models', 'm', 'versions', '1', 'labels', 'stable', 'infer', 'ready', 'stats', 'health', 'metadata'],
  ...[
    'm:predict',
    'm:classify',
    ':predict',
    '%',
    '%2f',
    '%00',
    '%ff',
    '..',
    '.',
    '',
    '~',
    '*',
    '🙂',
    '%F0%9F',
    'V1',
    '__proto__',
  ],
  ...['99999999999999999999', '-1', '01', '1e3', 'repository', 'index', 'load', 'constructor', 'a'.repeat(300)],
]
const HEADERS: Headers = [
  ...([
    ['accept', '*/*;q=x'],
    ['accept-encoding', 'gzip;q=9, *;q=0, deflate;q=-1'],
    ['content-type', 'application/json; charset=utf-16'],
    ['content-type', 'multipart/form-data; boundary=x'],
    ['content-type', ';;;'],
    ['expect', '100-continue'],
    ['expect', '200-maybe'],
    ['connection', 'keep-alive, content-length'],
    ['te', 'trailers, chunked'],
    ['upgrade', 'h2c'],
    ['http2-settings', 'AAMAAABkAAQAAP__'],
    ['origin', 'null'],
    ['access-control-request-method', 'POST'],
    ['traceparent', '00-00000000000000000000000000000000-0000000000000000-ff'],
    ['tracestate', 'a=1,'.repeat(100)],
    ['authorization', 'Bearer '],
    ['authorization', `Basic ${'A'.repeat(1000)}`],
    ['x-regatta-entity', 'é'],
    ['x-regatta-at', '2026-13-45'],
    ['x-regatta-at', '1e400'],
    ['x-regatta-series', 'a'.repeat(2000)],
    ['x-regatta-timeout-ms', '-1'],
    ['x-request-timeout', 'soon'],
    ['cookie', 'a=b; '.repeat(50)],
    ['forwarded', 'for="[::1'],
    ['host', 'x'],
    ['range', 'bytes=-1'],
    ['if-match', '*'],
    ['inference-header-content-length', '5'],
    ['x-long', 'a'.repeat(12_000)],
  ] as const),
]

/** Wrong methods, paths and headers. */
const toHeadCase: Make = draw => {
  const path = Array.from({ length: draw.between(0, 6) }, () => draw.pick(SEGMENTS)).join('/')
  const query = draw.chance(0.2) ? draw.pick(['?', '?a', '?%', '?a=%zz&b', '?'.repeat(20), '#a']) : ''
  const [target, value] = draw.pick(SEEDS)
  const isSeed = draw.chance(0.4)
  const method = isSeed && draw.chance(0.5) ? 'POST' : draw.pick(METHODS)
  const headers = Array.from({ length: draw.below(4) }, () => draw.pick(HEADERS))
  return {
    method,
    target: encodeURI(isSeed ? target : `/${path}${query}`).replaceAll('%25', '%'),
    headers: headers.filter(([name]) => name !== 'expect' || method === 'POST'),
    body: method === 'POST' || draw.chance(0.1) ? Buffer.from(JSON.stringify(value)) : Buffer.alloc(0),
  }
}

const MAKERS = {
  json: toJsonCase,
  'binary tensors': toBinaryCase,
  compression: toEncodedCase,
  head: toHeadCase,
  csv: toCsvCase,
} as const satisfies Record<string, Make>

const SHARES = [
  'json',
  'json',
  'json',
  'json',
  'binary tensors',
  'binary tensors',
  'compression',
  'head',
  'head',
  'csv',
] as const

/** A well-framed request whose contents are wrong. */
export function toHttpCase(draw: Draw): HttpCase {
  const family = draw.pick(SHARES)
  return { door: 'http', family, ...MAKERS[family](draw) }
}
