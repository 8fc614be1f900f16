import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GRPCInferenceService, parseMessage, toMessageBytes } from './messages.ts'
import { parseStreamAnswer, toStreamAnswer, toStreamFailure } from './v2-stream.ts'

const { input, output } = GRPCInferenceService.method.modelStreamInfer
const read = (bytes: Uint8Array) => parseMessage(output, bytes)

describe('toStreamAnswer()', () => {
  for (const [name, id] of [
    ['an answer', 'mine'],
    ['a long one', 'x'.repeat(40_000)],
  ] as const)
    it(`holds ${name} as it is written`, () => {
      const { method } = GRPCInferenceService
      const bytes = toMessageBytes(method.modelInfer.output, { modelName: 'm', id })
      const { errorMessage, inferResponse } = read(toStreamAnswer(bytes))
      assert.deepEqual([errorMessage, inferResponse?.modelName, inferResponse?.id], ['', 'm', id])
    })
})

describe('parseStreamAnswer()', () => {
  for (const error of [undefined, 'größer'])
    it(`reads an answer ${error === undefined ? 'without' : 'with'} an error`, () => {
      const bytes = Buffer.from('an answer')
      const { message, error: read } = parseStreamAnswer(toStreamAnswer(bytes, error))
      assert.deepEqual([Buffer.from(message), read], [bytes, error])
    })

  it('reads what says nothing', () => {
    assert.deepEqual(parseStreamAnswer(new Uint8Array(0)), { message: new Uint8Array(0), error: undefined })
  })
})

describe('toStreamFailure()', () => {
  for (const [name, request, id] of [
    ['the id of its request', toMessageBytes(input, { modelName: 'm', id: 'mine' }), 'mine'],
    ['none where the request has none', toMessageBytes(input, {}), ''],
    ['none where it cannot be read', Buffer.of(255, 255), ''],
  ] as const)
    it(`tells what went wrong, and ${name}`, () => {
      const { errorMessage, inferResponse } = read(toStreamFailure(request, 'größer'))
      assert.deepEqual([errorMessage, inferResponse?.id], ['größer', id])
    })
})
