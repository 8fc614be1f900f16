import type { StreamCase } from '../case.ts'
import { WATCH } from '../families/stream.ts'
import { readWire } from '../wire-messages.ts'
import { type CallClient, type CallEnd, seeEnd } from './grpc.ts'

/** How a call of many messages ended. */
export interface StreamEnd extends CallEnd {
  /** The client had what it waited for, and went. */
  readonly isLeft: boolean
}

/** Beyond so many a longer body comes in longer pieces. */
const MAX_PIECES = 100

/** Makes a call of a case, message after message. @throws Unanswered */
export async function converse(client: CallClient, example: StreamCase): Promise<StreamEnd> {
  const { body, end } = example
  const pieceBytes = Math.max(example.pieceBytes, Math.ceil(body.length / MAX_PIECES))
  const stream = client.begin(example)
  let isLeft = false
  const leave = (): void => {
    isLeft = true
    stream.close(8)
  }
  const wanted = countAwaited(example)
  const chunks: Buffer[] = []
  if (wanted !== undefined)
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if (readWire(Buffer.concat(chunks)).messages.length >= wanted) leave()
    })
  const ended = seeEnd(stream)
  for (let at = 0; at < body.length && !stream.destroyed; at += pieceBytes) {
    stream.write(body.subarray(at, at + pieceBytes))
    await new Promise(resolve => setImmediate(resolve))
  }
  if (end === 'reset' || wanted === 0) leave()
  else if (end === 'close' || isWatch(example)) stream.end()
  return { ...(await ended), isLeft }
}

/** After how many answers a client goes; undefined where the other side shall end the call. */
function countAwaited(example: StreamCase): number | undefined {
  if (isWatch(example)) return 1
  const { messages, isWhole } = readWire(example.body)
  return example.end === 'leave' ? (isWhole ? messages.length : 0) : undefined
}

/** Whether it is a call of one message, whose answer does not end by itself. */
function isWatch({ path }: StreamCase): boolean {
  return path === WATCH
}
