import type { Digest } from '../core/brands.ts'
import {
  type Annotations,
  type Descriptor,
  type Index,
  type Manifest,
  MEDIA_TYPES,
  parseIndex,
  parseManifest,
} from './manifest.ts'

/** A manifest that tells something about another: an SBOM, a signature, the record of a run. */
export interface Referrer extends Descriptor {
  /** What it is: its `artifactType`, or else the media type of its config; empty where it has neither. */
  readonly artifactType: string
  /** Those of the manifest. */
  readonly annotations: Annotations
}

/** The parts of an image layout that are looked through. */
export interface ReferrerSource {
  list(): Promise<readonly Descriptor[]>
  hasBlob(digest: Digest): Promise<boolean>
  readBlob(digest: Digest): Promise<Uint8Array>
}

/**
 * The manifests of a layout's index whose `subject` is the given one, oldest first, each once. One whose blob is gone
 * is passed over. Source: distribution-spec, "Listing Referrers". @throws BLOB_DIGEST, MANIFEST
 */
export async function listReferrers(
  layout: ReferrerSource,
  subject: Digest,
  filter: { readonly artifactType?: string } = {},
): Promise<readonly Referrer[]> {
  const found = new Map<Digest, Referrer>()
  for (const entry of await layout.list()) {
    const { digest, mediaType, size } = entry
    if (found.has(digest)) continue
    const referring = await readReferring(layout, entry)
    if (referring?.subject?.digest !== subject) continue
    const { annotations = {} } = referring
    found.set(digest, { mediaType, digest, size, artifactType: toType(referring), annotations })
  }
  return [...found.values()].filter(({ artifactType }) => artifactType === (filter.artifactType ?? artifactType))
}

/** What a manifest of a layout is about; undefined for one about nothing, or that is gone. @throws BLOB_DIGEST, MANIFEST */
export async function readSubject(layout: ReferrerSource, entry: Descriptor): Promise<Digest | undefined> {
  return (await readReferring(layout, entry))?.subject?.digest
}

async function readReferring(
  layout: ReferrerSource,
  { digest, mediaType }: Descriptor,
): Promise<Manifest | Index | undefined> {
  const parse = mediaType === MEDIA_TYPES.manifest ? parseManifest : parseIndex
  if ((mediaType !== MEDIA_TYPES.manifest && mediaType !== MEDIA_TYPES.index) || !(await layout.hasBlob(digest)))
    return undefined
  return parse(JSON.parse(new TextDecoder().decode(await layout.readBlob(digest))))
}

function toType(referring: Manifest | Index): string {
  return referring.artifactType ?? ('config' in referring ? referring.config.mediaType : '')
}
