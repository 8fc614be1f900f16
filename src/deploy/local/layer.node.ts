import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { RegattaError } from '../../core/errors.ts'
import { type Descriptor, type ImageLayout, MEDIA_TYPES, readTar } from '../../oci/index.ts'

/**
 * Writes the files of one layer below a folder and returns their paths in the image. Only when it returns is the
 * layer's digest known to be right, so nothing below the folder may be used before.
 * @throws LAYER_TYPE, TAR_ENTRY, TAR_FORMAT, BLOB_MISSING, BLOB_DIGEST
 */
export async function extractLayer(
  layout: ImageLayout,
  layer: Descriptor,
  folder: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const paths: string[] = []
  for await (const entry of readTar(openLayer(layout, layer, signal))) {
    if (entry.kind === 'folder') continue
    await writeFileSynced(join(folder, entry.path), entry.content, signal)
    paths.push(entry.path)
  }
  return paths
}

/** A layer's archive, uncompressed; reading it to its end checks the layer's digest. */
async function* openLayer(
  layout: ImageLayout,
  layer: Descriptor,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const blob = layout.openBlob(layer.digest)
  if (layer.mediaType === MEDIA_TYPES.layer) return yield* blob
  if (layer.mediaType !== MEDIA_TYPES.layerGzip)
    throw new RegattaError('LAYER_TYPE', `Cannot extract layer: expected tar or tar+gzip, found "${layer.mediaType}"`, {
      where: layer.digest,
    })
  const plain = createGunzip()
  const done = pipeline(blob, plain, { signal })
  // Awaited below; a failure before that reaches the reader through `plain`, which is destroyed with it.
  done.catch(() => undefined)
  try {
    yield* plain
  } catch (error) {
    throw toGzipError(error, layer)
  }
  await done
}

/** zlib's complaints about the content; whatever else stopped the stream stays as it is. */
function toGzipError(error: unknown, layer: Descriptor): unknown {
  if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))) return error
  return new RegattaError('TAR_FORMAT', 'Cannot extract layer: its content is not gzip', {
    where: layer.digest,
    cause: error,
  })
}

async function writeFileSynced(path: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await using file = await open(path, 'w', 0o644)
  for await (const chunk of content) {
    signal.throwIfAborted()
    await file.writeFile(chunk)
  }
  await file.sync()
}
