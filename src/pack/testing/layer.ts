import { gunzipSync } from 'node:zlib'
import type { Digest } from '../../core/brands.ts'
import {
  type ImageConfig,
  type ImageLayout,
  MEDIA_TYPES,
  parseImageConfig,
  parseIndex,
  readTar,
  toDigest,
} from '../../oci/index.ts'

/** Reads a whole layer, checking its digest; `diffId` is the digest of the archive. */
export async function readLayer(
  layout: ImageLayout,
  digest: Digest,
): Promise<{ readonly archive: Buffer; readonly diffId: Digest }> {
  const archive = gunzipSync(await layout.readBlob(digest))
  return { archive, diffId: toDigest(archive) }
}

/** The config of the image of a manifest. */
export async function readConfig(layout: ImageLayout, digest: Digest): Promise<ImageConfig> {
  const { config } = await layout.readManifest(digest)
  return parseImageConfig(JSON.parse(Buffer.from(await layout.readBlob(config.digest)).toString()))
}

/** The manifests of an index, by processor. */
export async function readIndex(layout: ImageLayout, digest: Digest): Promise<ReadonlyMap<string, Digest>> {
  const { manifests } = parseIndex(JSON.parse(Buffer.from(await layout.readBlob(digest)).toString()))
  return new Map(manifests.map(({ digest, platform }) => [platform?.architecture ?? '', digest]))
}

/** Path of every file of some layers, with its mode; what a later layer holds wins. */
export async function listLayers(
  layout: ImageLayout,
  layers: readonly { readonly digest: Digest; readonly mediaType?: string }[],
): Promise<ReadonlyMap<string, { readonly mode: number; readonly text: string }>> {
  const files = new Map<string, { readonly mode: number; readonly text: string }>()
  for (const { digest, mediaType } of layers) {
    const archive =
      mediaType === MEDIA_TYPES.layer
        ? Buffer.from(await layout.readBlob(digest))
        : (await readLayer(layout, digest)).archive
    const chunks = (async function* () {
      yield archive
    })()
    for await (const { content, kind, mode, path } of readTar(chunks)) {
      if (kind === 'folder') continue
      const parts: Uint8Array[] = []
      for await (const part of content) parts.push(Buffer.from(part))
      files.set(path, { mode, text: Buffer.concat(parts).toString('latin1') })
    }
  }
  return files
}
