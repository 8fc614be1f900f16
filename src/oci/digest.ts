import { createHash } from 'node:crypto'
import { type Digest, parseDigest } from '../core/brands.ts'

/** A digest in the making: bytes go in, in order, and `finish` is called once. */
export interface Digester {
  readonly sizeBytes: number
  update(bytes: Uint8Array): void
  finish(): Digest
}

/** Starts a sha256 digest of bytes that come in pieces. */
export function createDigester(): Digester {
  const hash = createHash('sha256')
  let sizeBytes = 0
  return {
    get sizeBytes() {
      return sizeBytes
    },
    update(bytes) {
      sizeBytes += bytes.byteLength
      hash.update(bytes)
    },
    finish: () => parseDigest(`sha256:${hash.digest('hex')}`),
  }
}

/** The sha256 digest of bytes. Source: OCI image-spec, descriptor.md, "Digests". */
export function toDigest(bytes: Uint8Array): Digest {
  const digester = createDigester()
  digester.update(bytes)
  return digester.finish()
}

/** The digest and the length of a stream, read to its end in constant memory. */
export async function toStreamDigest(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly digest: Digest; readonly sizeBytes: number }> {
  const digester = createDigester()
  for await (const chunk of chunks) digester.update(chunk)
  return { digest: digester.finish(), sizeBytes: digester.sizeBytes }
}
