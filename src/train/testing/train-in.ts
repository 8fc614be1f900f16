/*
 * Trains in the folder that is given, with a command that does not end by itself and writes its number to `pid`.
 */
import { join } from 'node:path'
import { parseProject } from '../../config/index.ts'
import { openLayout } from '../../oci/index.ts'
import { runTraining } from '../index.ts'

const folder = process.argv[2] ?? ''
const run = 'echo working; echo $$ > pid; exec sleep 60'
await runTraining(
  {
    project: parseProject(JSON.stringify({ name: 'forecast', train: { run } }), { folder, env: {} }),
    set: {},
    layout: await openLayout(join(folder, '.regatta', 'oci')),
    clock: Date.now,
    env: process.env,
    node: process.execPath,
    onEvent: () => {},
  },
  new AbortController().signal,
)
