import { join } from 'node:path'
import { type Digest, parseDigest } from '../core/brands.ts'
import { toDiskError } from '../core/disk.ts'
import { readFileIfAny, writeFileWhole } from '../core/files.node.ts'
import { isObject, toCanonicalJson } from '../core/json.ts'
import { type Descriptor, type ImageLayout, parseDescriptor } from '../oci/index.ts'
import type { BlobCheck } from './intact.node.ts'
import { type LayerPlan, toAbout, toLayerKey, toWritten, type WrittenLayer } from './layer.ts'
import { writeLayer } from './layer-write.node.ts'

/*
 * One small file for each layer that was written before, named by the key of its content; the layer itself lies in
 * the layout alone. A record that cannot be read, or whose layer the layout has lost, costs one more writing.
 */

interface LayerRecord {
  readonly blob: Descriptor
  readonly diffId: Digest
}

/** Writes a layer, unless the layout holds one of the same content from an earlier time. @throws DISK_FULL, FILE_CHANGED */
export async function writeLayerOnce(
  layout: ImageLayout,
  cacheFolder: string,
  plan: LayerPlan,
  check: BlobCheck,
): Promise<WrittenLayer> {
  const path = join(cacheFolder, 'layers', `${toLayerKey(plan).slice('sha256:'.length)}.json`)
  const found = parseRecord(await readFileIfAny(path))
  if (found !== undefined && (await check.isIntact(found.blob))) {
    return toWritten(toAbout(plan), found.blob, found.diffId, true)
  }
  const layer = await writeLayer(layout, plan)
  const { annotations: _, ...blob } = layer.descriptor
  try {
    await writeFileWhole(path, toCanonicalJson({ blob, diffId: layer.diffId } satisfies LayerRecord))
  } catch (error) {
    throw toDiskError(error, path)
  }
  return layer
}

function parseRecord(text: string | undefined): LayerRecord | undefined {
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (!isObject(value) || typeof value['diffId'] !== 'string') return undefined
    return { blob: parseDescriptor(value['blob']), diffId: parseDigest(value['diffId']) }
  } catch {
    return undefined
  }
}
