import { Health, toMessageBytes, GRPCInferenceService as V2 } from '../../../src/tensor/messages.ts'
import type { Headers, StreamCase } from '../case.ts'
import type { Draw } from '../draw.ts'
import { CALL_SEEDS, METADATA, toPrefixed, toWrongFrames } from './call.ts'
import { damage } from './damage.ts'
import { toWrongMessage } from './protobuf.ts'

/** A stream of predictions. */
export const INFER_STREAM = `/${V2.typeName}/ModelStreamInfer`
/** A stream of statuses. */
export const WATCH = `/${Health.typeName}/Watch`

/** What is asked rightly, among what is not. */
export const RIGHT_MESSAGE = CALL_SEEDS.infer[1]

const WATCHED = ['', 'inference.GRPCInferenceService', 'ModelService', 'nobody', 'a'.repeat(5000)]

interface Body {
  readonly family: string
  readonly headers: Headers
  readonly body: Buffer
}

/** A call of many messages, some or all of which are wrong, or that is not ended as it should be. */
export function toStreamCase(draw: Draw): StreamCase {
  const isWatch = draw.chance(0.2)
  const { family, ...rest } = isWatch ? toWatch(draw) : toInfer(draw)
  const end = draw.pick(['close', 'close', 'leave', 'reset'] as const)
  const pieceBytes = draw.pick([1, 7, 100, 2 ** 20])
  const path = isWatch ? WATCH : INFER_STREAM
  return { door: 'stream', family: `${isWatch ? 'watch' : 'infer'}: ${family}, ${end}`, path, ...rest, end, pieceBytes }
}

function toWatch(draw: Draw): Body {
  const message = Buffer.from(toMessageBytes(Health.method.watch.input, { service: draw.pick(WATCHED) }))
  if (draw.chance(0.3)) return { family: 'messages', headers: [], body: toPrefixed(message) }
  if (draw.chance(0.5)) return { family: 'messages', headers: [], body: toPrefixed(damage(draw, message)) }
  return { family: 'framing', ...toWrongFrames(draw, message) }
}

function toInfer(draw: Draw): Body {
  const right = toPrefixed(RIGHT_MESSAGE)
  const messages = Array.from({ length: draw.pick([0, 1, 2, 5, 20]) }, () => toMessage(draw))
  const body = Buffer.concat(messages)
  if (draw.chance(0.6)) return { family: 'messages', headers: [], body }
  if (draw.chance(0.2))
    return { family: 'metadata', headers: [draw.pick(METADATA)], body: Buffer.concat([right, body]) }
  const wrong = toWrongFrames(draw, RIGHT_MESSAGE)
  const parts = draw.chance(0.5) ? [body, wrong.body] : [body, wrong.body, right, right]
  return { family: 'framing', headers: wrong.headers, body: Buffer.concat(parts) }
}

function toMessage(draw: Draw): Buffer {
  if (draw.chance(0.4)) return toPrefixed(RIGHT_MESSAGE)
  if (draw.chance(0.1)) return toPrefixed(Buffer.alloc(0))
  return toPrefixed(draw.chance(0.8) ? toWrongMessage(draw, RIGHT_MESSAGE) : damage(draw, RIGHT_MESSAGE))
}
