import { readdir, stat } from 'node:fs/promises'
import type { Clock } from '../core/clock.ts'
import { toSystemCode } from '../core/errors.ts'
import { readFileIfAny } from '../core/files.node.ts'
import { takeFileLock } from '../core/lock.node.ts'
import type { ImageLayout } from '../oci/index.ts'
import { RUN_VARIABLE } from './child-environment.ts'
import { settle } from './claim.node.ts'
import { killMarked } from './group.node.ts'
import { RUN_ID, type RunPaths, toRunPaths, toRunsFolder } from './paths.ts'
import type { RunRecord, RunStart } from './record.ts'
import { readLogTail } from './run-log.node.ts'
import { listRunEntries, putRun } from './run-store.node.ts'

/** The ids of the folders in `.regatta/runs`. */
export async function listRunFolders(projectFolder: string): Promise<string[]> {
  const names = await readdir(toRunsFolder(projectFolder)).catch(error => {
    if (toSystemCode(error) === 'ENOENT') return []
    throw error
  })
  return names.filter(name => RUN_ID.test(name))
}

/** Records every run whose supervisor died as failed, and kills what still runs of its command. @throws DISK_FULL */
export async function settleLostRuns(projectFolder: string, layout: ImageLayout, clock: Clock): Promise<void> {
  for (const id of await listRunFolders(projectFolder)) {
    const paths = toRunPaths(projectFolder, id)
    if ((await readFileIfAny(paths.start)) === undefined) continue
    await using lock = await takeFileLock(paths.lock)
    if (lock !== undefined) await settleLost(paths, layout, clock)
  }
}

async function settleLost(paths: RunPaths, layout: ImageLayout, clock: Clock): Promise<void> {
  // Once more, since the run may have ended before its lock was free.
  const json = await readFileIfAny(paths.start)
  if (json === undefined) return
  // Loaded late, as for the records of runs: hardly ever is one lost.
  const { parseRunStart } = await import('./record-schema.ts')
  const start = parseRunStart(json, paths.start)
  killMarked(RUN_VARIABLE, start.id)
  const isStored = (await listRunEntries(layout)).some(({ id }) => id === start.id)
  if (!isStored) await putRun(layout, await toLostRecord(start, paths, clock))
  await settle(paths)
}

async function toLostRecord(start: RunStart, paths: RunPaths, clock: Clock): Promise<RunRecord> {
  // The last that is known of it: when it last wrote a line.
  const heardAt = await stat(paths.log).then(
    found => Math.trunc(found.mtimeMs),
    () => start.startedAt,
  )
  return {
    schema: 'regatta/run/v1',
    ...start,
    state: 'failed',
    code: 'RUN_LOST',
    reason: 'regatta ended before it could record the run',
    metrics: {},
    output: [],
    signature: null,
    exitCode: null,
    signal: null,
    endedAt: Math.max(start.startedAt, Math.min(clock(), heardAt)),
    logTail: await readLogTail(paths.log),
    notes: ['metrics: they are only in log.txt'],
  }
}
