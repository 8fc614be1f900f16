import type { Digest } from '../core/brands.ts'
import { RegattaError } from '../core/errors.ts'
import type { ImageLayout, IndexEntry } from '../oci/index.ts'
import { RUN_ID, toRunPaths } from './paths.ts'
import type { RunRecord, StoredRecord, StoredRun } from './record.ts'

/** Type of the artifact, and of its one layer: the record as JSON. */
export const RUN_TYPE = 'application/vnd.regatta.run.v1+json'
const ID_ANNOTATION = 'dev.regatta.run.id'
const STATE_ANNOTATION = 'dev.regatta.run.state'

/** Stores a run's record in the layout. @throws DISK_FULL */
export async function putRun(layout: ImageLayout, record: RunRecord): Promise<StoredRecord> {
  const layer = await layout.writeBlob(new TextEncoder().encode(JSON.stringify(record)), RUN_TYPE)
  const { digest } = await layout.putArtifact({
    artifactType: RUN_TYPE,
    layers: [layer],
    annotations: { [ID_ANNOTATION]: record.id, [STATE_ANNOTATION]: record.state },
  })
  return { record, digest }
}

/** A stored run's place in the index: all that can be told of it without reading it. */
export interface RunEntry {
  readonly id: string
  readonly done: boolean
  readonly digest: Digest
}

/** The runs of a layout, oldest first. */
export async function listRunEntries(layout: ImageLayout): Promise<readonly RunEntry[]> {
  const entries = await layout.list({ artifactType: RUN_TYPE })
  return entries.flatMap(toRunEntry)
}

function toRunEntry({ annotations, digest }: IndexEntry): RunEntry[] {
  const id = annotations[ID_ANNOTATION] ?? ''
  return RUN_ID.test(id) ? [{ id, done: annotations[STATE_ANNOTATION] === 'done', digest }] : []
}

/**
 * Reads the run that an image names (`dev.regatta.run`). It may have come from another machine.
 * @throws RUN_RECORD, BLOB_MISSING, BLOB_DIGEST, MANIFEST
 */
export async function readRunByDigest(
  layout: Pick<ImageLayout, 'readManifest' | 'readBlob'>,
  digest: Digest,
): Promise<StoredRecord> {
  const { artifactType, layers } = await layout.readManifest(digest)
  const [layer] = layers
  if (artifactType !== RUN_TYPE || layer === undefined) {
    throw new RegattaError(
      'RUN_RECORD',
      `Cannot read run ${digest}: expected a run, found ${artifactType ?? 'an image'}`,
    )
  }
  const bytes = await layout.readBlob(layer.digest)
  // Loaded late: to set up its checks takes longer than to pack a folder.
  const { parseRunRecord } = await import('./record-schema.ts')
  return { record: parseRunRecord(new TextDecoder().decode(bytes), digest), digest }
}

/** Reads a run of this project. @throws what `readRunByDigest` throws */
export async function readEntry(projectFolder: string, layout: ImageLayout, entry: RunEntry): Promise<StoredRun> {
  const run = await readRunByDigest(layout, entry.digest)
  return { ...run, outputFolder: toRunPaths(projectFolder, entry.id).output }
}
