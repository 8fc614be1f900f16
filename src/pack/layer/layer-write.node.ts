import {
  type BlobWatch,
  gzip,
  gzipStored,
  type ImageLayout,
  MEDIA_TYPES,
  toStoredBytes,
  toTarBytes,
  writeTar,
} from '../../oci/index.ts'
import { openDigester } from './digest-thread.node.ts'
import { type LayerPlan, toAbout, toWritten, type WrittenLayer } from './layer.ts'

/** Watches a blob of so many bytes, which is about to be written, if it is wanted. */
export type FollowBlob = (sizeBytes: number) => BlobWatch | undefined

/** Smaller ones are sent as fast when they are written. */
const FOLLOWED_BYTES = 8 * 1024 * 1024

/**
 * Writes a layer into the layout in one pass and constant memory; a large one whose length is known before is told to
 * `follow`. @throws DISK_FULL, FILE_CHANGED, TAR_ENTRY
 */
export async function writeLayer(layout: ImageLayout, plan: LayerPlan, follow?: FollowBlob): Promise<WrittenLayer> {
  const archive = writeTar(plan.entries)
  const about = toAbout(plan)
  if (plan.wrap === 'none') {
    const blob = await layout.writeBlob(archive, MEDIA_TYPES.layer, watch(plan, follow))
    return toWritten(about, blob, blob.digest, false)
  }
  await using digester = await openDigester(about.content.bytes)
  const digested = passThrough(archive, digester.update)
  const wrapped = plan.wrap === 'gzip' ? gzip(digested) : gzipStored(digested)
  const blob = await layout.writeBlob(wrapped, MEDIA_TYPES.layerGzip, watch(plan, follow))
  return toWritten(about, blob, await digester.finish(), false)
}

function watch({ entries, wrap }: LayerPlan, follow: FollowBlob | undefined): BlobWatch | undefined {
  if (follow === undefined || wrap === 'gzip') return undefined
  const archiveBytes = toTarBytes(entries)
  if (archiveBytes < FOLLOWED_BYTES) return undefined
  return follow(wrap === 'stored' ? toStoredBytes(archiveBytes) : archiveBytes)
}

async function* passThrough(
  chunks: AsyncIterable<Uint8Array>,
  look: (chunk: Uint8Array) => Promise<void>,
): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) {
    await look(chunk)
    yield chunk
  }
}
