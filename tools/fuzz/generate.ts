import type { Case, Door } from './case.ts'
import { Draw } from './draw.ts'
import { toCallCase } from './families/call.ts'
import { toFramesCase } from './families/frames.ts'
import { toHttpCase } from './families/http.ts'
import { toStreamCase } from './families/stream.ts'
import { toWireCase } from './families/wire.ts'

const GENERATORS = {
  http: toHttpCase,
  wire: toWireCase,
  call: toCallCase,
  stream: toStreamCase,
  frames: toFramesCase,
} as const satisfies Record<Door, (draw: Draw) => Case>

/** The malformed request of a number: always the same for the same seed, door and number. */
export function toCase(seed: number, door: Door, at: number): Case {
  return GENERATORS[door](new Draw(seed, `${door} ${at}`))
}
