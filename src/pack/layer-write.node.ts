import { gzip, gzipStored, type ImageLayout, MEDIA_TYPES, writeTar } from '../oci/index.ts'
import { openDigester } from './digest-thread.node.ts'
import { type LayerPlan, toAbout, toWritten, type WrittenLayer } from './layer.ts'

/**
 * Writes a layer into the layout in one pass and constant memory. @throws DISK_FULL, FILE_CHANGED, TAR_ENTRY
 */
export async function writeLayer(layout: ImageLayout, plan: LayerPlan): Promise<WrittenLayer> {
  const archive = writeTar(plan.entries)
  const about = toAbout(plan)
  if (plan.wrap === 'none') {
    const blob = await layout.writeBlob(archive, MEDIA_TYPES.layer)
    return toWritten(about, blob, blob.digest, false)
  }
  await using digester = await openDigester(about.content.bytes)
  const digested = passThrough(archive, digester.update)
  const wrapped = plan.wrap === 'gzip' ? gzip(digested) : gzipStored(digested)
  const blob = await layout.writeBlob(wrapped, MEDIA_TYPES.layerGzip)
  return toWritten(about, blob, await digester.finish(), false)
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
