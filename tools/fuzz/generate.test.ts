import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GRPCInferenceService, toMessageBytes } from '../../src/tensor/messages.ts'
import { DOORS, parseCase, toJson } from './case.ts'
import { AnswerReader } from './clients/answer-reader.ts'
import { readCorpus } from './corpus.ts'
import { toPrefixed } from './families/call.ts'
import { INFER_STREAM, RIGHT_MESSAGE } from './families/stream.ts'
import { toCase } from './generate.ts'
import { judgeCall, judgeHttp, judgeWire } from './verdict.ts'
import { judgeStream } from './verdict-stream.ts'

const answer = (status: number, body: string, type = 'application/json') => ({
  status,
  headers: new Map([['content-type', type]]),
  body: Buffer.from(body),
})

describe('toCase()', () => {
  for (const door of DOORS)
    it(`makes the same requests to ${door} from the same seed, and others from another`, () => {
      const make = (seed: number): string =>
        JSON.stringify(Array.from({ length: 40 }, (_, at) => toJson(toCase(seed, door, at))))
      assert.equal(make(1), make(1))
      assert.notEqual(make(1), make(2))
    })

  it('makes requests that the corpus can keep', () => {
    for (const door of DOORS) {
      const example = toCase(1, door, 3)
      assert.deepEqual(parseCase(JSON.parse(JSON.stringify(toJson(example)))), example)
    }
    assert.ok(readCorpus().length > 0)
  })
})

describe('what is judged', () => {
  const example = {
    door: 'http',
    family: 'json',
    method: 'POST',
    target: '/v2',
    headers: [],
    body: Buffer.alloc(0),
  } as const
  const wrong: readonly (readonly [name: string, problem: string | undefined, wanted: RegExp])[] = [
    ['a failure inside', judgeHttp(example, answer(500, '{"error":"bug"}')), /status 500/],
    ['no text', judgeHttp(example, answer(400, '{"error":""}')), /another form/],
    ['no JSON', judgeHttp(example, answer(400, 'no', 'text/plain')), /text\/plain/],
    ['a long error', judgeHttp(example, answer(400, `{"error":"${'a'.repeat(10_000)}"}`)), /bytes/],
    [
      'a smuggled request',
      judgeWire(
        { door: 'wire', family: '', wanted: 'refused', bytes: Buffer.alloc(0) },
        { answers: [answer(200, '')], isClosed: true },
      ),
      /expected a refusal/,
    ],
    [
      'a call that failed inside',
      judgeCall('protobuf', { http: 200, status: 'INTERNAL', text: '', body: Buffer.alloc(0), rstCode: 0 }),
      /INTERNAL/,
    ],
    [
      'a call without an end',
      judgeCall('protobuf', { http: 200, status: undefined, text: '', body: Buffer.alloc(0), rstCode: 2 }),
      /no status/,
    ],
  ]
  for (const [name, problem, wanted] of wrong) it(`tells ${name}`, () => assert.match(problem ?? '', wanted))

  it('lets right refusals pass', () => {
    assert.equal(judgeHttp(example, answer(400, '{"error":"why"}')), undefined)
    assert.equal(
      judgeCall('protobuf', { http: 200, status: 'INVALID_ARGUMENT', text: '', body: Buffer.alloc(0), rstCode: 0 }),
      undefined,
    )
  })
})

describe('what is judged of a stream', () => {
  const right = toPrefixed(RIGHT_MESSAGE)
  const { output } = GRPCInferenceService.method.modelStreamInfer
  const answered = toPrefixed(
    Buffer.from(toMessageBytes(output, { inferResponse: { outputs: [{ name: 'y' }], rawOutputContents: [right] } })),
  )
  const failed = toPrefixed(Buffer.from(toMessageBytes(output, { errorMessage: 'why' })))
  const judge = (body: Buffer, answers: readonly Buffer[], status: string | undefined): string | undefined =>
    judgeStream(
      {
        ...{ door: 'stream', family: 'infer: messages, close', path: INFER_STREAM, headers: [] },
        ...{ body, end: 'close', pieceBytes: 1 },
      },
      { http: 200, status, text: '', body: Buffer.concat(answers), rstCode: 0, isLeft: false },
    )
  const wrong = toPrefixed(Buffer.of(255))

  it('is that each message has its answer, and the right ones a right one', () => {
    assert.equal(judge(Buffer.concat([right, wrong]), [answered, failed], 'OK'), undefined)
    assert.match(judge(Buffer.concat([right, wrong]), [answered], 'OK') ?? '', /1 answers to 2/)
    assert.match(judge(right, [failed], 'OK') ?? '', /answer 0 to what is right: why/)
    assert.match(judge(right, [answered, failed], 'OK') ?? '', /2 answers to 1/)
    assert.match(judge(wrong, [], 'UNKNOWN') ?? '', /UNKNOWN/)
    assert.match(judge(right, [answered], 'INVALID_ARGUMENT') ?? '', /after right frames/)
  })
})

describe('AnswerReader', () => {
  it('takes answers however they are cut', () => {
    const bytes = Buffer.from(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab' +
        'HTTP/1.1 400 Bad Request\r\ntransfer-encoding: chunked\r\n\r\n3\r\ncde\r\n0\r\n\r\n',
    )
    const reader = new AnswerReader()
    const taken: string[] = []
    for (const byte of bytes) {
      reader.push(Buffer.of(byte))
      const whole = reader.take(false)
      if (whole !== undefined) taken.push(`${whole.status} ${whole.body}`)
    }
    assert.deepEqual([taken, reader.isPartial], [['200 ab', '400 cde'], false])
  })
})
