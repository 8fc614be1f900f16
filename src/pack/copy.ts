import { type Descriptor, type EntryOptions, FROM, type ImageLayout, MEDIA_TYPES, parseIndex } from '../oci/index.ts'

/**
 * Copies an image and all its blobs into another layout; each digest is checked on the way. Layers that lie in a
 * registry stay there, and the other layout is told so. @throws BLOB_MISSING, BLOB_DIGEST, MANIFEST, DISK_FULL
 */
export async function copyImage(
  from: ImageLayout,
  to: ImageLayout,
  image: Descriptor,
  options: EntryOptions,
  signal: AbortSignal,
): Promise<void> {
  const elsewhere = options.annotations?.[FROM] !== undefined
  for (const manifest of await listManifests(from, image)) {
    const { config, layers } = await from.readManifest(manifest.digest)
    for (const blob of [config, ...layers]) {
      if ((await to.keepBlob(blob.digest)) || (elsewhere && !(await from.hasBlob(blob.digest)))) continue
      await to.writeBlob(untilAborted(from.openBlob(blob.digest), signal), blob.mediaType)
    }
    await to.writeBlob(await from.readBlob(manifest.digest), manifest.mediaType)
  }
  const { digest, mediaType, size } = image
  if (mediaType === MEDIA_TYPES.index) await to.writeBlob(await from.readBlob(digest), mediaType)
  await to.enter({ mediaType, digest, size }, options)
}

/** The manifests of an image: itself, or those of its index. @throws BLOB_MISSING, BLOB_DIGEST, MANIFEST */
export async function listManifests(layout: ImageLayout, image: Descriptor): Promise<readonly Descriptor[]> {
  if (image.mediaType !== MEDIA_TYPES.index) return [image]
  return parseIndex(JSON.parse(new TextDecoder().decode(await layout.readBlob(image.digest)))).manifests
}

async function* untilAborted(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) {
    signal.throwIfAborted()
    yield chunk
  }
}
