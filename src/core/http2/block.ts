import { H2Error } from './errors.ts'
import { FLAG, FRAME, type H2Frame } from './frames.ts'

/** A block of headers whose frames have all come. */
export interface H2Block {
  readonly stream: number
  readonly bytes: Buffer
  readonly isLast: boolean
}

/** Of a PRIORITY frame, and at the beginning of a HEADERS frame that says one. */
export const PRIORITY_BYTES = 5
/** Whoever means no harm needs few: a block that fills them all is longer than any head that is taken. */
const MAX_CONTINUATIONS = 8

/** The payload of a frame without its padding. @throws H2Error where there is more padding than frame */
export function stripPadding({ flags, payload }: H2Frame): Buffer {
  if ((flags & FLAG.padded) === 0) return payload
  const end = payload.length - (payload[0] ?? 0)
  if (end < 1) throw new H2Error('PROTOCOL_ERROR', 'A frame has more padding than bytes')
  return payload.subarray(1, end)
}

/** Checks a priority, which changes nothing. @throws H2Error where it is cut off, or a stream depends on itself */
export function checkPriority(stream: number, bytes: Buffer): void {
  if (bytes.length < PRIORITY_BYTES) throw new H2Error('FRAME_SIZE_ERROR', 'A priority is cut off')
  if ((bytes.readUInt32BE() & 0x7fffffff) === stream)
    throw new H2Error('PROTOCOL_ERROR', `Stream ${stream} is said to depend on itself`)
}

/** Joins the frames of blocks. Nothing may come between them. */
export class H2BlockReader {
  #open: (Omit<H2Block, 'bytes'> & { readonly parts: Buffer[] }) | undefined

  /** The block that a frame completes, if it does. @throws H2Error where a frame is not the one that has to come */
  push(frame: H2Frame): H2Block | undefined {
    const open = this.#open
    if (open === undefined) return frame.type === FRAME.headers ? this.#begin(frame) : undefined
    if (frame.type !== FRAME.continuation || frame.stream !== open.stream)
      throw new H2Error('PROTOCOL_ERROR', `A frame of type ${frame.type} came within a block of headers`)
    if (open.parts.length > MAX_CONTINUATIONS)
      throw new H2Error('ENHANCE_YOUR_CALM', `A block of headers has more than ${MAX_CONTINUATIONS} continuations`)
    open.parts.push(frame.payload)
    if ((frame.flags & FLAG.endHeaders) === 0) return undefined
    this.#open = undefined
    return { stream: open.stream, isLast: open.isLast, bytes: Buffer.concat(open.parts) }
  }

  /** Whether the rest of a block has to come. */
  get isOpen(): boolean {
    return this.#open !== undefined
  }

  #begin(frame: H2Frame): H2Block | undefined {
    const { stream, flags } = frame
    const isLast = (flags & FLAG.endStream) !== 0
    let bytes = stripPadding(frame)
    if ((flags & FLAG.priority) !== 0) {
      checkPriority(stream, bytes)
      bytes = bytes.subarray(PRIORITY_BYTES)
    }
    if ((flags & FLAG.endHeaders) !== 0) return { stream, bytes, isLast }
    this.#open = { stream, isLast, parts: [bytes] }
    return undefined
  }
}
