import type { Clock } from '../core/clock.ts'
import { RegattaError } from '../core/errors.ts'
import type { ImageLayout } from '../oci/index.ts'
import { settleLostRuns } from './lost.node.ts'
import type { StoredRun } from './record.ts'
import { listRunEntries, readEntry } from './run-store.node.ts'

/**
 * Lists the runs of a project, the latest first. One whose supervisor died is recorded as failed (RUN_LOST) by
 * that, and what still runs of its command is killed; one that is running is not listed.
 * @throws RUN_RECORD, MANIFEST, BLOB_MISSING, BLOB_DIGEST, DISK_FULL
 */
export async function listRuns(projectFolder: string, layout: ImageLayout, clock: Clock): Promise<StoredRun[]> {
  await settleLostRuns(projectFolder, layout, clock)
  const runs: StoredRun[] = []
  for (const entry of await listRunEntries(layout)) runs.push(await readEntry(projectFolder, layout, entry))
  return runs.reverse().sort((a, b) => b.record.startedAt - a.record.startedAt)
}

/**
 * Reads the run whose id begins with `idPrefix`.
 * @throws RUN_UNKNOWN, RUN_AMBIGUOUS, RUN_RECORD, MANIFEST, BLOB_MISSING, BLOB_DIGEST
 */
export async function readRun(projectFolder: string, layout: ImageLayout, idPrefix: string): Promise<StoredRun> {
  const prefix = idPrefix.toLowerCase()
  const entries = prefix === '' ? [] : (await listRunEntries(layout)).filter(({ id }) => id.startsWith(prefix))
  const [entry, ...more] = entries
  if (entry === undefined) {
    throw new RegattaError('RUN_UNKNOWN', `There is no run "${idPrefix}" that has ended`, {
      where: projectFolder,
      fix: 'regatta runs lists them',
    })
  }
  if (more.length > 0) {
    const found = entries.slice(0, 5).map(({ id }) => id)
    throw new RegattaError('RUN_AMBIGUOUS', `"${idPrefix}" begins ${entries.length} runs: ${found.join(', ')}`, {
      where: projectFolder,
      fix: 'Give more letters of the id',
    })
  }
  return await readEntry(projectFolder, layout, entry)
}
