import { type Digest, parseDigest } from '../../core/brands.ts'
import { RegattaError } from '../../core/errors.ts'
import { type ImageLayout, readImageAnnotations } from '../../oci/index.ts'
import { readRunByDigest } from '../../train/index.ts'
import type { TraceAnswerJson } from '../api/outcomes.ts'
import { toControlError } from '../errors.ts'

/** Where an image comes from; all empty for a model that was packed without a run. */
export type Lineage = Pick<TraceAnswerJson, 'run' | 'runId' | 'params' | 'data' | 'git'>

/** Reads where an image comes from. @throws IMAGE_MISSING */
export type ReadLineage = (image: Digest) => Promise<Lineage>

/** Annotation of an image: the digest of its run's record. */
const RUN = 'dev.regatta.run'
/** An image never changes, so its lineage is read once; more images than this raced in no process yet. */
const MAX_KEPT = 100

/** Reads lineages from a layout: image manifest → run record → params, data digests, git commit. */
export function toReadLineage(layout: ImageLayout): ReadLineage {
  const kept = new Map<Digest, Lineage>()
  return async image => {
    const lineage = kept.get(image) ?? (await readLineage(layout, image))
    if (kept.size >= MAX_KEPT) kept.clear()
    kept.set(image, lineage)
    return lineage
  }
}

async function readLineage(layout: ImageLayout, image: Digest): Promise<Lineage> {
  try {
    const run = (await readImageAnnotations(layout, image))[RUN]
    if (run === undefined) return { run: null, runId: null, params: {}, data: [], git: null }
    const { record } = await readRunByDigest(layout, parseDigest(run))
    const { id: runId, params, git } = record
    return { run, runId, params, data: record.data.map(({ path, digest }) => ({ path, digest })), git }
  } catch (cause) {
    if (!(cause instanceof RegattaError && cause.code === 'BLOB_MISSING')) throw cause
    const what = `Cannot tell where image ${image} comes from: it or its run is no longer in the image layout`
    throw toControlError('IMAGE_MISSING', what, `Look for it in a backup of ${layout.folder}`, cause)
  }
}
