import { parseMessage, GRPCInferenceService as V2 } from '../../src/tensor/messages.ts'
import type { StreamCase } from './case.ts'
import type { StreamEnd } from './clients/stream.ts'
import { RIGHT_MESSAGE, WATCH } from './families/stream.ts'
import { judgeCall, MAX_ERROR_BYTES } from './verdict.ts'
import { readWire } from './wire-messages.ts'

/**
 * What is wrong with the end of a call of many messages: each has an answer of its own, in their order, and what is right
 * is answered rightly among what is wrong. What is no message ends the call with the transport's error.
 */
export function judgeStream(example: StreamCase, end: StreamEnd): string | undefined {
  if (!end.isLeft) {
    const problem = judgeCall(example.family.includes('messages') ? 'protobuf' : example.family, end)
    if (problem !== undefined) return problem
  }
  return example.path === WATCH ? undefined : judgeAnswers(example, end)
}

function judgeAnswers({ body, headers, end }: StreamCase, { isLeft, status, body: answered }: StreamEnd) {
  const asked = readWire(body)
  const { messages } = readWire(answered)
  // What is compressed rightly has an answer, too.
  if (messages.length > asked.messages.length && headers.length === 0)
    return `${messages.length} answers to ${asked.messages.length} requests`
  const isDue = asked.isWhole && headers.length === 0 && (end === 'close' || isLeft) && end !== 'reset'
  if (isDue && messages.length < asked.messages.length)
    return `${messages.length} answers to ${asked.messages.length} requests, ${status}`
  if (isDue && !isLeft && status !== 'OK') return `${status} after right frames`
  for (const [index, message] of messages.entries()) {
    const { errorMessage, inferResponse } = parseMessage(V2.method.modelStreamInfer.output, message)
    const isRight = asked.messages[index]?.equals(RIGHT_MESSAGE) === true
    if (isRight && headers.length === 0 && (errorMessage !== '' || inferResponse?.rawOutputContents.length !== 1))
      return `answer ${index} to what is right: ${errorMessage}`
    if (Buffer.byteLength(errorMessage) > MAX_ERROR_BYTES) return `an error of ${errorMessage.length} characters`
    if (errorMessage === '' && inferResponse?.outputs.length === 0) return `answer ${index} says nothing`
  }
  return undefined
}
