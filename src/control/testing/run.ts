import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ParamValue } from '../../config/index.ts'
import type { StoredRecord } from '../../train/index.ts'
import { runTraining } from '../../train/index.ts'
import { type Place, toProject } from './place.ts'

/** Runs a training command that leaves no model: its record is kept all the same, and can be traced. */
export async function runForTrace(place: Place, params: Readonly<Record<string, ParamValue>>): Promise<StoredRecord> {
  await writeFile(join(place.folder, 'series.csv'), '1,2,3\n')
  const project = {
    ...toProject(place.folder, {}),
    train: { run: 'exit 1', params, data: ['series.csv'], output: 'model' },
  }
  return await runTraining(
    { project, set: {}, layout: place.layout, clock: Date.now, env: {}, node: process.execPath, onEvent: () => {} },
    new AbortController().signal,
  )
}
