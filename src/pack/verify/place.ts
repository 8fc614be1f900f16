import type { Digest } from '../../core/brands.ts'
import { type Descriptor, FROM, type ImageLayout, listReferrers } from '../../oci/index.ts'

/** Where an image lies, as verifying reads it. Reading throws where content is not that of its digest. */
export interface ImagePlace {
  /** Folder or reference, for people. */
  readonly where: string
  /** Reads a manifest, an index, a config or another small document. */
  readDocument(digest: Digest): Promise<Uint8Array>
  openBlob(blob: Descriptor): AsyncIterable<Uint8Array>
  /** Manifests whose subject is the given one. */
  listAbout(subject: Digest): Promise<readonly Descriptor[]>
  /** Whether a blob was never meant to be here: the repository that has it. */
  findElsewhere(digest: Digest): Promise<string | undefined>
}

/** An image in a layout. */
export function toLayoutPlace(layout: ImageLayout, image: Digest): ImagePlace {
  return {
    where: layout.folder,
    readDocument: digest => layout.readBlob(digest),
    openBlob: ({ digest }) => layout.openBlob(digest),
    listAbout: subject => listReferrers(layout, subject),
    async findElsewhere(digest) {
      if (await layout.hasBlob(digest)) return undefined
      return (await layout.resolve(image))?.annotations[FROM]
    },
  }
}
