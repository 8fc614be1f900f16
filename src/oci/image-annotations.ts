import type { Digest } from '../core/brands.ts'
import { isObject } from '../core/json.ts'
import type { ImageLayout } from './layout.node.ts'
import { type Annotations, MEDIA_TYPES, parseIndex, parseManifest } from './manifest.ts'

/**
 * The annotations of an image for one platform, or of the index of one for several.
 * @throws MANIFEST where it is neither, BLOB_MISSING, BLOB_DIGEST
 */
export async function readImageAnnotations(
  layout: Pick<ImageLayout, 'readBlob'>,
  digest: Digest,
): Promise<Annotations> {
  const text = new TextDecoder().decode(await layout.readBlob(digest))
  const document = parseIfJson(text)
  const isIndex = isObject(document) && document['mediaType'] === MEDIA_TYPES.index
  const { annotations = {} } = isIndex ? parseIndex(document) : parseManifest(document)
  return annotations
}

function parseIfJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
