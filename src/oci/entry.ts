import type { Annotations, Descriptor, Platform } from './manifest.ts'
import { parseRefName } from './reference.ts'

/** Annotation of an index entry that names it. Source: image-spec, annotations.md. */
export const REF_NAME = 'org.opencontainers.image.ref.name'

/**
 * Annotation of an index entry whose image stands on layers that were never fetched: the repository that holds them
 * (`registry.example.com/library/node`), for a registry to mount them from. It stands in the layout's index alone, so
 * that the same image made of the same base elsewhere has the same digest.
 */
export const FROM = 'dev.regatta.from'

/** One entry of a layout's `index.json`. */
export interface IndexEntry extends Descriptor {
  readonly annotations: Annotations
  /** The entry's `org.opencontainers.image.ref.name`. */
  readonly ref: string | undefined
}

/** How a manifest appears in the index. */
export interface EntryOptions {
  /** Name in the layout; a former holder of the name loses it. */
  readonly ref?: string
  readonly annotations?: Annotations
  readonly platform?: Platform
}

/** Which entries to list: those of which all that is given holds. */
export interface EntryFilter {
  readonly artifactType?: string
  readonly annotations?: Annotations
}

/** The entry of a manifest. @throws REF_NAME */
export function toEntry(descriptor: Descriptor, options: EntryOptions): Descriptor {
  const annotations = {
    ...options.annotations,
    ...(options.ref !== undefined && { [REF_NAME]: parseRefName(options.ref) }),
  }
  const { annotations: _, ...rest } = descriptor
  const entry = options.platform === undefined ? rest : { ...rest, platform: options.platform }
  return Object.keys(annotations).length === 0 ? entry : { ...entry, annotations }
}

/** A name has one holder, and one manifest stands once under each name. */
export function isReplacedBy(old: Descriptor, entry: Descriptor): boolean {
  const ref = entry.annotations?.[REF_NAME]
  if (old.annotations?.[REF_NAME] !== ref) return false
  return ref !== undefined || old.digest === entry.digest
}

/** An entry with its name apart. */
export function toIndexEntry(descriptor: Descriptor): IndexEntry {
  const annotations = descriptor.annotations ?? {}
  return { ...descriptor, annotations, ref: annotations[REF_NAME] }
}

/** Whether all that a filter gives holds of an entry. */
export function matches(entry: IndexEntry, filter: EntryFilter): boolean {
  if (filter.artifactType !== undefined && entry.artifactType !== filter.artifactType) return false
  return Object.entries(filter.annotations ?? {}).every(([name, value]) => entry.annotations[name] === value)
}
