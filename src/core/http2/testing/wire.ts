import { FLAG, FRAME, FRAME_HEAD_BYTES, type H2Frame, toFrameBytes } from '../frames.ts'
import { encodeHpack } from '../hpack-encoder.ts'

/** No payload. */
export const NOTHING = Buffer.alloc(0)
/** The head of a request. */
export const REQUEST = { ':method': 'POST', ':scheme': 'http', ':path': '/a.B/C', ':authority': 'x' }

/** A block in one frame, by default the head of a request. */
export const toHeaders = (
  id: number,
  flags: number = FLAG.endHeaders,
  fields: Readonly<Record<string, string>> = REQUEST,
): Buffer => toFrameBytes(FRAME.headers, flags, id, encodeHpack(fields))

/** So many bytes of a body. */
export const toData = (id: number, bytes: number, flags = 0): Buffer =>
  toFrameBytes(FRAME.data, flags, id, Buffer.alloc(bytes))

/** A whole request. */
export const toCall = (id: number): Buffer => Buffer.concat([toHeaders(id), toData(id, 10, FLAG.endStream)])

/** SETTINGS with one of them. */
export function toSetting(name: number, value: number): Buffer {
  const payload = Buffer.alloc(6)
  payload.writeUInt16BE(name)
  payload.writeUInt32BE(value, 2)
  return toFrameBytes(FRAME.settings, 0, 0, payload)
}

/** So many things, one after the other. */
export const repeat = (count: number, make: (at: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, at) => make(at)))

/** Frames of any length. */
export function readFrames(bytes: Buffer): readonly H2Frame[] {
  const frames: H2Frame[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + FRAME_HEAD_BYTES + bytes.readUIntBE(at, 3)
    const [type = 0, flags = 0] = bytes.subarray(at + 3)
    frames.push({
      type,
      flags,
      stream: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + FRAME_HEAD_BYTES, end),
    })
    at = end
  }
  return frames
}

const NAMES = new Map<number, string>(Object.entries(FRAME).map(([name, type]) => [type, name]))

/** Frames by type and stream, resets by their code too. */
export const toNames = (frames: readonly H2Frame[]): readonly string[] =>
  frames.map(({ type, stream, payload }) => {
    const code = type === FRAME.reset ? ` ${payload.readUInt32BE()}` : ''
    return `${NAMES.get(type)} ${stream}${code}`
  })

/** Bytes of the body of a stream. */
export const toBodyBytes = (frames: readonly H2Frame[], id: number): number =>
  frames
    .filter(({ type, stream }) => type === FRAME.data && stream === id)
    .reduce((sum, { payload }) => sum + payload.length, 0)
