import { gunzipSync } from 'node:zlib'
import type { Digest } from '../../core/brands.ts'
import { type ImageLayout, toDigest } from '../../oci/index.ts'

/** Reads a whole layer, checking its digest; `diffId` is the digest of the archive. */
export async function readLayer(
  layout: ImageLayout,
  digest: Digest,
): Promise<{ readonly archive: Buffer; readonly diffId: Digest }> {
  const archive = gunzipSync(await layout.readBlob(digest))
  return { archive, diffId: toDigest(archive) }
}
