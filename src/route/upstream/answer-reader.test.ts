import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AnswerReader, type Reading } from './answer-reader.ts'

const EXPECTED = { isHead: false, maxBodyBytes: 1000 } as const

/** What a reader says in the end, given pieces one after the other and then, if wanted, the end of the connection. */
function read(pieces: readonly Buffer[], more: { isHead?: boolean; ends?: boolean } = {}): Reading {
  const reader = new AnswerReader(200)
  reader.begin({ ...EXPECTED, isHead: more.isHead ?? false })
  let reading: Reading = 'partial'
  for (const piece of pieces) {
    // What is given is written over afterwards, as the room of a socket is.
    const view = Buffer.from(piece)
    reading = reader.push(view)
    view.fill('x')
    if (reading !== 'partial') return reading
  }
  return more.ends === true ? reader.end() : reading
}

const toText = (reading: Reading): string => {
  if (typeof reading === 'string') return reading
  return 'problem' in reading ? `problem: ${reading.problem}` : `${reading.status} ${reading.body} ${reading.keepMs}`
}

const cut = (text: string, at: readonly number[]): Buffer[] => {
  const ends = [...at.map(place => place % (text.length + 1)), text.length].sort((a, b) => a - b)
  return ends.map((end, index) => Buffer.from(text.slice(ends[index - 1] ?? 0, end), 'latin1'))
}

const WHOLE: readonly [name: string, text: string, wanted: string][] = [
  ['a body of a length', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello', '200 hello 4000'],
  ['an empty body', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', '200  4000'],
  [
    'chunks',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n002;a=b\r\nlo\r\n0\r\nx: y\r\n\r\n',
    '200 hello 4000',
  ],
  [
    'the final answer behind others',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na',
    '200 a 4000',
  ],
  ['an answer that has no body', 'HTTP/1.1 204 No Content\r\n\r\n', '204  4000'],
  ['one that should have none and tells a length', 'HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n', '204  0'],
  ['an old server’s', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok', '200 ok 0'],
]

const WRONG: readonly [name: string, text: string, wanted: RegExp][] = [
  ['what is no HTTP', 'hello\r\n\r\n', /status line/],
  ['more than it tells', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhello', /more comes/],
  ['a second answer', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', /more comes/],
  ['a body of 204', 'HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello', /more comes/],
  ['bytes behind the last chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nx', /more comes/],
  ['a head that is too long', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(200)}\r\n\r\n`, /longer than 200 bytes/],
  ['a head without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(200)}`, /longer than 200 bytes/],
]
const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
const BAD_CHUNKS: readonly [name: string, body: string][] = [
  ['no size', '\r\nabc'],
  ['a size that is no number', 'g\r\n'],
  ['a size with a sign', '-1\r\n'],
  ['a size with a prefix', '0x1\r\na\r\n'],
  ['a size with spaces', '1 \r\na\r\n'],
  ['a size of nine digits', '000000001\r\na\r\n'],
  ['a bare line feed', '1\na\r\n'],
  ['a line that does not end', `1;${'a'.repeat(5000)}`],
  ['a chunk that is longer than its size', '1\r\nab\r\n'],
  ['a trailer that is no header', '0\r\nx\r\n\r\n'],
]

describe('AnswerReader', () => {
  for (const [name, text, wanted] of WHOLE) {
    it(`takes ${name}, however it is cut`, () => {
      fc.assert(
        fc.property(fc.array(fc.nat(), { maxLength: 6 }), at => assert.equal(toText(read(cut(text, at))), wanted)),
        { numRuns: 100 },
      )
      assert.equal(toText(read([...Buffer.from(text)].map(byte => Buffer.of(byte)))), wanted)
    })
  }

  for (const [name, text, wanted] of WRONG)
    it(`takes ${name} for no answer`, () => assert.match(toText(read([Buffer.from(text)])), wanted))

  for (const [name, body] of BAD_CHUNKS)
    it(`takes chunks with ${name} for no answer, however they are cut`, () => {
      fc.assert(
        fc.property(fc.array(fc.nat(), { maxLength: 4 }), at =>
          assert.match(toText(read(cut(CHUNKED + body, at), { ends: true })), /^problem: .*chunks/),
        ),
        { numRuns: 50 },
      )
    })

  it('never ends in anything but an answer or a problem, whatever comes', () => {
    const piece = fc.constantFrom(
      ...['HTTP/1.1 200 OK\r\n', 'HTTP/1.1 204 No\r\n', 'HTTP/1.0 200 OK\r\n', 'content-length: 3\r\n', '\r\n', 'abc'],
      ...['transfer-encoding: chunked\r\n', '3\r\n', '0\r\n', 'x: y\r\n', '\n', '\0'],
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 4 }), (pieces, at) => {
        const text = pieces.join('')
        const whole = toText(read([Buffer.from(text)], { ends: true }))
        const inPieces = toText(read(cut(text, at), { ends: true }))
        // Where more comes than an answer tells of, it depends on the cut whether that is seen.
        if (whole.includes('more comes')) assert.match(inPieces, /^\d{3} |more comes/)
        else assert.equal(inPieces, whole)
        assert.match(whole, /^(\d{3} |problem: )/)
      }),
      { numRuns: 500 },
    )
  })

  it('takes a body that ends with the connection, and no other that is cut off', () => {
    const ends = { ends: true }
    assert.equal(toText(read([Buffer.from('HTTP/1.1 200 OK\r\n\r\nhel'), Buffer.from('lo')], ends)), '200 hello 0')
    const cutOff: readonly string[] = [
      'HTTP/1.1 200',
      'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell',
      `${CHUNKED}5\r\nhello\r\n0\r\n`,
    ]
    for (const text of cutOff) assert.match(toText(read([Buffer.from(text)], ends)), /before its answer was whole/)
    assert.equal(toText(read([], ends)), 'problem: the server closed the connection')
  })

  it('takes no body that is too long, told or not', () => {
    const texts = [
      'HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n',
      `HTTP/1.1 200 OK\r\n\r\n${'a'.repeat(1001)}`,
      `${CHUNKED}${`64\r\n${'a'.repeat(100)}\r\n`.repeat(11)}`,
    ]
    for (const text of texts) assert.equal(read([Buffer.from(text)]), 'too-long')
  })

  it('waits for no body of an answer to HEAD', () => {
    const head = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n')
    assert.equal(toText(read([head], { isHead: true })), '200  4000')
    assert.match(toText(read([Buffer.concat([head, Buffer.from('hello')])], { isHead: true })), /more comes/)
  })

  it('reads one answer after the other, with the same head or another', () => {
    const reader = new AnswerReader(200)
    const toAnswer = (body: string, more = ''): Buffer =>
      Buffer.from(`HTTP/1.1 200 OK\r\n${more}content-length: ${body.length}\r\n\r\n${body}`)
    for (const text of ['one', 'two', 'three', 'four', 'five!', '']) {
      reader.begin(EXPECTED)
      assert.equal(toText(reader.push(toAnswer(text))), `200 ${text} 4000`)
    }
    reader.begin(EXPECTED)
    assert.equal(toText(reader.push(toAnswer('six', 'connection: close\r\n'))), '200 six 0')
  })
})
