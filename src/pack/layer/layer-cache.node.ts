import { join } from 'node:path'
import { type Digest, parseDigest } from '../../core/brands.ts'
import { toDiskError } from '../../core/disk.ts'
import { toSystemCode } from '../../core/errors.ts'
import { readFileIfAny, replaceFile } from '../../core/files.node.ts'
import { isObject, toCanonicalJson } from '../../core/json.ts'
import { type Descriptor, type ImageLayout, openLayout, parseDescriptor } from '../../oci/index.ts'
import { type BlobCheck, isDamage } from './intact.node.ts'
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

/** Where layers may be that were made before. */
export interface LayerStores {
  /** Records of what this project's layout holds. */
  readonly cacheFolder: string
  /** A layout with its records, that regatta came with. @default none */
  readonly prebuiltFolder?: string | undefined
}

/**
 * Writes a layer, unless the layout holds one of the same content from an earlier time. One that is prebuilt is copied.
 * @throws DISK_FULL, FILE_CHANGED
 */
export async function writeLayerOnce(
  layout: ImageLayout,
  { cacheFolder, prebuiltFolder }: LayerStores,
  plan: LayerPlan,
  check: BlobCheck,
): Promise<WrittenLayer> {
  const key = toLayerKey(plan)
  const found = await readRecord(cacheFolder, key)
  if (found !== undefined && (await check.isIntact(found.blob))) {
    return toWritten(toAbout(plan), found.blob, found.diffId, true)
  }
  const layer = (await copyPrebuilt(layout, prebuiltFolder, key, plan)) ?? (await writeLayer(layout, plan))
  const { annotations: _, ...blob } = layer.descriptor
  const path = toRecordPath(cacheFolder, key)
  try {
    await replaceFile(path, toCanonicalJson({ blob, diffId: layer.diffId } satisfies LayerRecord))
  } catch (error) {
    throw toDiskError(error, path)
  }
  return layer
}

/** A prebuilt layer that is not whole is as good as none. */
async function copyPrebuilt(
  layout: ImageLayout,
  folder: string | undefined,
  key: Digest,
  plan: LayerPlan,
): Promise<WrittenLayer | undefined> {
  const found = folder === undefined ? undefined : await readRecord(folder, key)
  if (folder === undefined || found === undefined) return undefined
  const { blob, diffId } = found
  try {
    await layout.writeBlob((await openLayout(folder)).openBlob(blob.digest), blob.mediaType)
  } catch (error) {
    if (isDamage(error) || toSystemCode(error) === 'BLOB_MISSING') return undefined
    throw error
  }
  return toWritten(toAbout(plan), blob, diffId, false)
}

async function readRecord(folder: string, key: Digest): Promise<LayerRecord | undefined> {
  return parseRecord(await readFileIfAny(toRecordPath(folder, key)))
}

function toRecordPath(folder: string, key: Digest): string {
  return join(folder, 'layers', `${key.slice('sha256:'.length)}.json`)
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
