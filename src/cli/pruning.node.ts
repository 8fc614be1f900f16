import { existsSync } from 'node:fs'
import { pruneLocalModels } from '../deploy/index.ts'
import { collectGarbage } from '../oci/index.ts'
import { pruneRewritten } from '../pack/index.ts'
import { openStore } from '../store/index.ts'
import { pruneRuns } from '../train/index.ts'
import type { Call } from './verb.ts'
import type { Workplace } from './workplace.node.ts'

/** What `regatta prune` freed, or would free. */
export interface Freed {
  /** Rows of single predictions and truths. */
  readonly rows: number
  /** Ids of runs. */
  readonly runs: readonly string[]
  /** Digests of images whose unpacked model went. */
  readonly models: readonly string[]
  /** Digests of blobs in the image layout. */
  readonly blobs: readonly string[]
  /** Bytes of files; the database keeps its size and fills the room again. */
  readonly bytes: number
}

/** What `regatta prune` leaves. */
export interface PruneWish {
  /** Epoch ms: what is younger stays. */
  readonly before: number
  /** How many of the latest failed runs stay however old they are. */
  readonly keep: number
  readonly dryRun: boolean
}

/** Frees what is old and what nothing refers to, or only says what it would. */
export async function pruneProject(call: Call, workplace: Workplace, wish: PruneWish): Promise<Freed> {
  const { layout, paths, project } = workplace
  const { before, dryRun } = wish
  const rows = await pruneRows(call, workplace, before, dryRun)
  const runs = await pruneRuns(project.folder, layout, wish)
  const models = await pruneLocalModels(paths.local, { dryRun })
  const rewrittenBytes = await pruneRewritten(paths.cache, { dryRun })
  // Runs first: what only they referred to is garbage then.
  const blobs = await collectGarbage(layout, { dryRun })
  return {
    rows,
    runs: runs.runs,
    models: models.models,
    blobs: blobs.digests,
    bytes: runs.bytes + models.bytes + rewrittenBytes + blobs.bytes,
  }
}

async function pruneRows(call: Call, { paths, project }: Workplace, before: number, dryRun: boolean): Promise<number> {
  const path = paths.database
  const url = call.env['DATABASE_URL'] || undefined
  if (url === undefined && !existsSync(path)) return 0
  await using store = await openStore({ path, url }, { clock: call.clock, deployment: project.name })
  const { rows } = await store.prune(before, dryRun)
  return rows
}
