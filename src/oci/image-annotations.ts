import type { Digest } from '../core/brands.ts'
import type { ImageLayout } from './layout.node.ts'
import type { Annotations } from './manifest.ts'
import { parseDocument } from './registry/document.ts'

/**
 * The annotations of an image for one platform, or of the index of one for several.
 * @throws MANIFEST where it is neither, BLOB_MISSING, BLOB_DIGEST
 */
export async function readImageAnnotations(
  layout: Pick<ImageLayout, 'readBlob'>,
  digest: Digest,
): Promise<Annotations> {
  return parseDocument(await layout.readBlob(digest), undefined, digest).annotations
}
