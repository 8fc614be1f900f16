import type { Digest } from '../core/brands.ts'
import type { EntryOptions, ImageLayout } from '../oci/index.ts'

/** Copies an image or artifact and all its blobs into another layout; each digest is checked on the way. */
export async function copyManifest(
  from: ImageLayout,
  to: ImageLayout,
  digest: Digest,
  options: EntryOptions,
  signal: AbortSignal,
): Promise<void> {
  const { artifactType, config, layers, mediaType } = await from.readManifest(digest)
  for (const blob of [config, ...layers]) {
    if (await to.keepBlob(blob.digest)) continue
    await to.writeBlob(untilAborted(from.openBlob(blob.digest), signal), blob.mediaType)
  }
  const manifest = await to.writeBlob(await from.readBlob(digest), mediaType)
  await to.enter({ ...manifest, ...(artifactType !== undefined && { artifactType }) }, options)
}

async function* untilAborted(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) {
    signal.throwIfAborted()
    yield chunk
  }
}
