import assert from 'node:assert/strict'
import { readdir, utimes, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { it } from 'node:test'
import { toRunsFolder } from '../train/paths.ts'
import { openWorkshop, type Workshop } from '../train/testing/workshop.ts'
import { main } from './app.ts'
import { toInstallation } from './installation.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')
const DAY_MS = 86_400_000

/** What `regatta prune --json` tells, as far as it matters here. */
interface Pruned {
  readonly done: boolean
  readonly runs: readonly string[]
  readonly blobs: readonly string[]
}

/** Runs `regatta prune` in the workshop's folder, a hundred days after 1970. */
async function prune({ folder }: Workshop, ...flags: readonly string[]): Promise<Pruned> {
  let [text, problems] = ['', '']
  const code = await main(['prune', '--json', ...flags], {
    out: part => {
      text += part
    },
    err: part => {
      problems += part
    },
    terminal: undefined,
    colours: false,
    env: {},
    cwd: folder,
    signal: new AbortController().signal,
    clock: () => 100 * DAY_MS,
    installation: toInstallation(ROOT, true, process.execPath),
  })
  assert.equal(code, 0, problems)
  return JSON.parse(text) as Pruned
}

it('prune tells what it would free, and frees that with --yes alone: by age, and all but the latest', async () => {
  await using workshop = await openWorkshop()
  const { folder, layout } = workshop
  await writeFile(join(folder, 'regatta.yaml'), 'name: forecast\n')
  const ids: string[] = []
  for (const day of [1, 2, 3, 90]) {
    ids.push((await workshop.train('false', { clock: () => day * DAY_MS })).record.id)
  }
  const stray = await layout.writeBlob(Buffer.from('of nothing'), 'text/plain')
  await utimes(join(layout.folder, 'blobs', stray.digest.replace(':', '/')), 1, 1)
  const listRuns = async () => (await readdir(toRunsFolder(folder))).sort()

  const told = await prune(workshop, '--keep', '2')
  assert.deepEqual([told.done, told.runs, told.blobs.includes(stray.digest)], [false, ids.slice(0, 2), true])
  assert.deepEqual(await listRuns(), [...ids].sort())
  assert.ok(await layout.hasBlob(stray.digest))

  const freed = await prune(workshop, '--keep', '2', '--yes')
  assert.deepEqual([freed.done, freed.runs, freed.blobs.includes(stray.digest)], [true, ids.slice(0, 2), true])
  assert.deepEqual(await listRuns(), ids.slice(2).sort())
  assert.equal(await layout.hasBlob(stray.digest), false)

  // The last one is younger than 30 days.
  assert.deepEqual((await prune(workshop, '--keep', '0', '--yes')).runs, ids.slice(2, 3))
  assert.deepEqual(await listRuns(), ids.slice(3))
})
