import type { Capture } from '../../core/wire/routes.ts'
import type { Tap, TapBody, TapContent } from './tap.ts'

/**
 * Taps on their way to the thread that reads them. What the thread only passes on (the heads) is text already; bodies are
 * one buffer, which moves without being copied again.
 */
export interface TapMessage {
  /** JSON of each tap's head. */
  readonly heads: readonly string[]
  /** JSON of an array of each tap's content, without its bodies' bytes. */
  readonly contents: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly captures: readonly Capture[]
  readonly maxBodyBytes: number
}

/** What the thread answers to a message: one line of JSON for each tap. */
export interface TapReply {
  readonly lines: readonly string[]
  readonly unlabelled: number
}

type Packed = Omit<TapContent, 'request' | 'answer' | 'capture'> & {
  /** Index into the captures. */
  readonly capture: number
  readonly request?: PackedBody
  readonly answer?: PackedBody
}
type PackedBody = Omit<TapBody, 'bytes'> & { readonly byteLength: number }

/** Packs taps. */
export function toTapMessage(taps: readonly Tap[], maxBodyBytes: number): TapMessage {
  const captures = [...new Set(taps.map(tap => tap.content.capture))]
  const contents = taps.map(({ content }) => ({
    ...content,
    capture: captures.indexOf(content.capture),
    request: toPacked(content.request),
    answer: toPacked(content.answer),
  }))
  const heads = taps.map(tap => JSON.stringify(tap.head))
  return { heads, contents: JSON.stringify(contents), bytes: toBytes(taps), captures, maxBodyBytes }
}

/** Unpacks what `toTapMessage` packed, all but the heads; equal captures are one object. */
export function fromTapMessage({ contents, bytes, captures }: TapMessage): readonly TapContent[] {
  let at = 0
  const take = (body: PackedBody | undefined): TapBody | undefined => {
    if (body === undefined) return undefined
    const { byteLength, encoding, jsonBytes } = body
    at += byteLength
    return { bytes: bytes.subarray(at - byteLength, at), encoding, jsonBytes }
  }
  // Written by this file in the same process.
  const packed = JSON.parse(contents) as readonly Packed[]
  return packed.map(item => ({
    ...item,
    capture: captures[item.capture] ?? {},
    request: take(item.request),
    answer: take(item.answer),
  }))
}

function toBytes(taps: readonly Tap[]): Uint8Array<ArrayBuffer> {
  const bodies = taps.flatMap(({ content }) => [content.request, content.answer].filter(body => body !== undefined))
  const bytes = new Uint8Array(bodies.reduce((sum, body) => sum + body.bytes.byteLength, 0))
  let at = 0
  for (const body of bodies) {
    bytes.set(body.bytes, at)
    at += body.bytes.byteLength
  }
  return bytes
}

function toPacked(body: TapBody | undefined): PackedBody | undefined {
  if (body === undefined) return undefined
  return { byteLength: body.bytes.byteLength, encoding: body.encoding, jsonBytes: body.jsonBytes }
}
