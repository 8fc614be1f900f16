export type { Artifact } from './artifact.ts'
export type { BlobWatch } from './blobs.node.ts'
export { createDigester, type Digester, toDigest, toStreamDigest } from './digest.ts'
export { type EntryFilter, type EntryOptions, FROM, type IndexEntry, REF_NAME } from './entry.ts'
export { collectGarbage, type Garbage, type GarbageOptions } from './garbage.node.ts'
export { gzip } from './gzip.ts'
export { gzipStored, toStoredBytes } from './gzip-stored.ts'
export { readImageAnnotations } from './image-annotations.ts'
export { type ImageLayout, type NewEntry, openLayout } from './layout.node.ts'
export {
  type Annotations,
  type Descriptor,
  type ImageConfig,
  type Index,
  type Manifest,
  MEDIA_TYPES,
  type Platform,
  parseDescriptor,
  parseImageConfig,
  parseIndex,
  parseManifest,
} from './manifest.ts'
export { parseReference, parseRefName, type Reference, toReferenceText } from './reference.ts'
export { listReferrers, type Referrer, type ReferrerSource } from './referrers.ts'
export { type Ahead, openAhead } from './registry/ahead.node.ts'
export { type Document, parsePlatformText, toPlatformText } from './registry/document.ts'
export {
  copyImage,
  findDigest,
  type Moved,
  openRemoteImage,
  pullImage,
  pushImage,
  type RemoteImage,
  type Resolved,
  resolveReference,
} from './registry/doors.node.ts'
export type { RegistryOptions } from './registry/exchange.node.ts'
export { type Location, parseLocation } from './registry/location.ts'
export type { PullOptions, PushOptions, TransferOptions } from './registry/options.ts'
export { openReach, type Reach } from './registry/reach.node.ts'
export type { Place } from './registry/source.node.ts'
export type { TransferEvent, Transferred, TransferredLayer } from './registry/transfer.ts'
export { planTar, type TarEntry, type TarFile, type TarFolder, toTarBytes, toTarFile, writeTar } from './tar.ts'
export { type ReadEntry, readTar } from './tar-read.ts'
export { type ScannedEntry, scanTar } from './tar-scan.ts'
