import { type Annotations, type Descriptor, type Manifest, MEDIA_TYPES } from './manifest.ts'

/** Something other than an image, kept in a layout. */
export interface Artifact {
  /** Media type that tells what it is, such as `application/vnd.example.run.v1+json`. */
  readonly artifactType: string
  /** Blobs already written to the layout; at least one. */
  readonly layers: readonly Descriptor[]
  /** The manifest that the artifact tells something about. */
  readonly subject?: Descriptor
  readonly annotations?: Annotations
  /** Name in the layout; a former holder of the name loses it. */
  readonly ref?: string
}

/** The content of every artifact's config. Source: image-spec, manifest.md, "Guidance for an Empty Descriptor". */
export const EMPTY_CONFIG = new TextEncoder().encode('{}')

/** The manifest of an artifact whose config blob is the empty one. */
export function toArtifactManifest(artifact: Artifact, config: Descriptor): Manifest {
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    artifactType: artifact.artifactType,
    config,
    layers: artifact.layers,
    ...(artifact.subject && { subject: artifact.subject }),
    ...(artifact.annotations && { annotations: artifact.annotations }),
  }
}
