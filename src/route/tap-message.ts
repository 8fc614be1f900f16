import type { Tap, TapBody } from './tap.ts'

/**
 * Taps on their way to the thread that reads them: JSON beside one buffer of all bodies, which moves without being
 * copied again. `text` is an array of taps whose bodies have `byteLength` in place of `bytes`.
 */
export interface TapMessage {
  readonly text: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly maxBodyBytes: number
}

/** What the thread answers to a message: one line of JSON for each tap. */
export interface TapReply {
  readonly lines: readonly string[]
  readonly unlabelled: number
}

type Packed = Omit<Tap, 'request' | 'answer'> & { readonly request?: PackedBody; readonly answer?: PackedBody }
type PackedBody = Omit<TapBody, 'bytes'> & { readonly byteLength: number }

/** Packs taps. */
export function toTapMessage(taps: readonly Tap[], maxBodyBytes: number): TapMessage {
  const bodies = taps.flatMap(tap => [tap.request, tap.answer].filter(body => body !== undefined))
  const bytes = new Uint8Array(bodies.reduce((sum, body) => sum + body.bytes.byteLength, 0))
  let at = 0
  for (const body of bodies) {
    bytes.set(body.bytes, at)
    at += body.bytes.byteLength
  }
  const packed = taps.map(tap => ({ ...tap, request: toPacked(tap.request), answer: toPacked(tap.answer) }))
  return { text: JSON.stringify(packed), bytes, maxBodyBytes }
}

/** Unpacks what `toTapMessage` packed. */
export function fromTapMessage({ text, bytes }: TapMessage): readonly Tap[] {
  let at = 0
  const take = (body: PackedBody | undefined): TapBody | undefined => {
    if (body === undefined) return undefined
    const { byteLength, encoding, jsonBytes } = body
    at += byteLength
    return { bytes: bytes.subarray(at - byteLength, at), encoding, jsonBytes }
  }
  // Written by this file in the same process.
  const packed = JSON.parse(text) as readonly Packed[]
  return packed.map(tap => ({ ...tap, request: take(tap.request), answer: take(tap.answer) }))
}

function toPacked(body: TapBody | undefined): PackedBody | undefined {
  if (body === undefined) return undefined
  const { bytes, ...rest } = body
  return { ...rest, byteLength: bytes.byteLength }
}
