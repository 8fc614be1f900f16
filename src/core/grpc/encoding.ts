import { promisify } from 'node:util'
import { createGunzip, createInflate, gzip } from 'node:zlib'
import { toErrorText } from '../errors.ts'
import { ZLIB_CHUNK } from '../zlib-chunk.ts'
import { GrpcError } from './grpc.ts'

/** How each encoding of `grpc-encoding` is undone; `deflate` is zlib's format (RFC 1950). */
const INFLATERS = { gzip: createGunzip, deflate: createInflate } as const

/** An encoding of messages that is understood. */
export type GrpcEncoding = 'identity' | keyof typeof INFLATERS

/** The `grpc-accept-encoding` header. */
export const GRPC_ENCODINGS = ['identity', ...Object.keys(INFLATERS)].join(',')

/** Reads a `grpc-encoding` header. @throws GrpcError UNIMPLEMENTED */
export function parseGrpcEncoding(text = 'identity'): GrpcEncoding {
  if (text === 'identity' || Object.hasOwn(INFLATERS, text)) return text as GrpcEncoding
  throw new GrpcError('UNIMPLEMENTED', `Cannot read messages compressed with "${text}": expected ${GRPC_ENCODINGS}`)
}

/**
 * Inflates a message piece by piece. `onBytes` is told of each piece's length, and may throw to end it.
 * @throws GrpcError RESOURCE_EXHAUSTED before more than `maxBytes` and a piece (64 KiB) are inflated, INTERNAL
 */
export async function inflateGrpcMessage(
  encoding: GrpcEncoding,
  message: Uint8Array,
  maxBytes: number,
  onBytes: (bytes: number) => void,
): Promise<Uint8Array> {
  if (encoding === 'identity')
    throw new GrpcError('INTERNAL', 'Cannot read a compressed message without a grpc-encoding that says how')
  const codec = INFLATERS[encoding](ZLIB_CHUNK)
  codec.end(message)
  const parts: Buffer[] = []
  let length = 0
  try {
    for await (const part of codec) {
      length += part.byteLength
      if (length > maxBytes)
        throw new GrpcError('RESOURCE_EXHAUSTED', `Message inflates to more than the limit of ${maxBytes} bytes`)
      onBytes(part.byteLength)
      parts.push(part)
    }
  } catch (error) {
    if (error instanceof GrpcError) throw error
    throw new GrpcError('INTERNAL', `Cannot inflate the message: ${toErrorText(error)}`, { cause: error })
  }
  return Buffer.concat(parts, length)
}

/** Compresses a message, for a client that accepts gzip. */
export const gzipGrpcMessage: (message: Uint8Array) => Promise<Buffer> = promisify(gzip)

/** Whether a `grpc-accept-encoding` header names gzip. */
export function isGzipAccepted(text: string | undefined): boolean {
  return text?.split(',').some(name => name.trim() === 'gzip') ?? false
}
