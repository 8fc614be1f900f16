import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseDigest } from '../core/brands.ts'
import { readProcessId } from '../core/process.node.ts'
import { toDigest } from '../oci/index.ts'
import { listRuns, pruneRuns, readRun, readRunByDigest, type StoredRun } from './index.ts'
import { toRunPaths, toRunsFolder } from './paths.ts'
import { putRun } from './run-store.node.ts'
import { LEAVE_MODEL, openWorkshop, type Workshop } from './testing/workshop.ts'

const list = async ({ folder, layout }: Workshop): Promise<StoredRun[]> => await listRuns(folder, layout, Date.now)

describe('listRuns()', () => {
  it('lists none where nothing was trained', async () => {
    await using workshop = await openWorkshop()
    assert.deepEqual(await list(workshop), [])
  })

  it('lists the latest first', async () => {
    await using workshop = await openWorkshop()
    const started: string[] = []
    for (const at of [2000, 3000, 1000]) {
      const run = await workshop.train(LEAVE_MODEL, { clock: () => at })
      started.push(run.record.id)
    }
    const ids = (await list(workshop)).map(({ record }) => record.id)
    assert.deepEqual(ids, [started[1], started[0], started[2]])
  })

  it('leaves out a run that is running', async () => {
    await using workshop = await openWorkshop()
    const stop = new AbortController()
    const seen: number[] = []
    await workshop.train('echo up; sleep 60', {
      signal: stop.signal,
      onEvent(event) {
        if (event.kind !== 'output') return
        list(workshop).then(runs => {
          seen.push(runs.length)
          stop.abort()
        })
      },
    })
    assert.deepEqual(seen, [0])
    const [run] = await list(workshop)
    assert.equal(run?.record.state, 'interrupted')
  })

  it('shows a run as failed whose supervisor was killed, and ends what it left running', async () => {
    await using workshop = await openWorkshop()
    const { folder } = workshop
    const child = spawn(process.execPath, [join(import.meta.dirname, 'testing', 'train-in.ts'), folder], {
      stdio: 'inherit',
    })
    const pid = await waitForNumber(join(folder, 'pid'))
    const [id = ''] = await readdir(toRunsFolder(folder))
    await waitForText(toRunPaths(folder, id).log, 'working')
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.ok(readProcessId(pid) !== undefined, 'the command outlives its supervisor')
    const [run, ...more] = await list(workshop)
    assert.deepEqual(more, [])
    assert.partialDeepStrictEqual(run?.record, { state: 'failed', code: 'RUN_LOST', logTail: ['working'] })
    assert.ok((run?.record.endedAt ?? 0) <= Date.now())
    for (let i = 0; readProcessId(pid) !== undefined; i++) {
      assert.ok(i < 1000, `process ${pid} still runs`)
      await sleep(20)
    }
    assert.deepEqual(await list(workshop), [run])
    assert.deepEqual((await readdir(join(run?.outputFolder ?? '', '..'))).sort(), ['log.txt', 'output'])
  })

  it('does not record a run twice whose supervisor was killed after it was stored', async () => {
    await using workshop = await openWorkshop()
    const run = await workshop.train(LEAVE_MODEL)
    const { id, model, command, params, data, git, environment, startedAt } = run.record
    const start = { id, model, command, params, data, git, environment, startedAt }
    await writeFile(toRunPaths(workshop.folder, id).start, JSON.stringify(start))
    assert.deepEqual(await list(workshop), [run])
    await assert.rejects(access(toRunPaths(workshop.folder, id).start))
  })
})

describe('readRun()', () => {
  it('finds a run by the first letters of its id', async () => {
    await using workshop = await openWorkshop()
    const { folder, layout } = workshop
    const run = await workshop.train(LEAVE_MODEL)
    assert.deepEqual(await readRun(folder, layout, run.record.id.slice(0, 8).toUpperCase()), run)
  })

  it('says which runs begin so, and that none does', async () => {
    await using workshop = await openWorkshop()
    const { folder, layout } = workshop
    const { record } = await workshop.train('false')
    const ids = ['b', 'c'].map(last => `${'a'.repeat(31)}${last}`)
    for (const id of ids) await putRun(layout, { ...record, id })
    await assert.rejects(readRun(folder, layout, 'aaaa'), {
      code: 'RUN_AMBIGUOUS',
      message: new RegExp(ids.join(', ')),
    })
    assert.equal((await readRun(folder, layout, ids[1] ?? '')).record.id, ids[1])
    for (const unknown of ['', 'x', `${record.id}0`]) {
      await assert.rejects(readRun(folder, layout, unknown), { code: 'RUN_UNKNOWN' })
    }
  })
})

describe('readRunByDigest()', () => {
  it('refuses what is no run', async () => {
    await using workshop = await openWorkshop()
    const { layout } = workshop
    const layer = await layout.writeBlob(new TextEncoder().encode('{}'), 'application/vnd.regatta.run.v1+json')
    const other = await layout.putArtifact({ artifactType: 'application/other', layers: [layer] })
    await assert.rejects(readRunByDigest(layout, other.digest), { code: 'RUN_RECORD', message: /application\/other/ })
    const empty = await layout.putArtifact({ artifactType: layer.mediaType, layers: [layer] })
    await assert.rejects(readRunByDigest(layout, empty.digest), {
      code: 'RUN_RECORD',
      message: /Cannot read the record/,
    })
    const missing = parseDigest(toDigest(new Uint8Array(3)))
    await assert.rejects(readRunByDigest(layout, missing), { code: 'BLOB_MISSING' })
  })
})

describe('pruneRuns()', () => {
  it('removes what failed before a time, and only then', async () => {
    await using workshop = await openWorkshop()
    const { folder, layout } = workshop
    const done = await workshop.train(LEAVE_MODEL, { clock: () => 1000 })
    const old = await workshop.train('echo 12345; false', { clock: () => 1000 })
    const fresh = await workshop.train('false', { clock: () => 2000 })
    const wanted = { runs: [old.record.id], bytes: 6 }
    assert.deepEqual(await pruneRuns(folder, layout, { before: 2000, dryRun: true }), wanted)
    assert.equal((await list(workshop)).length, 3)
    assert.deepEqual(await pruneRuns(folder, layout, { before: 2000, dryRun: false }), wanted)
    assert.deepEqual(await list(workshop), [fresh, done])
    assert.deepEqual((await readdir(toRunsFolder(folder))).sort(), [done.record.id, fresh.record.id].sort())
    assert.deepEqual(await pruneRuns(folder, layout, { before: 2000, dryRun: false }), { runs: [], bytes: 0 })
  })

  it('keeps as many of the latest as it is told, however old they are', async () => {
    await using workshop = await openWorkshop()
    const { folder, layout } = workshop
    const ids: string[] = []
    for (const at of [1000, 2000, 3000]) ids.push((await workshop.train('false', { clock: () => at })).record.id)
    const prune = async (keep: number) => (await pruneRuns(folder, layout, { before: 9000, keep, dryRun: false })).runs
    assert.deepEqual(await prune(3), [])
    assert.deepEqual(await prune(2), ids.slice(0, 1))
    assert.deepEqual((await list(workshop)).length, 2)
    assert.deepEqual(await prune(0), ids.slice(1))
  })

  it('removes an old folder that no run refers to, but none that is running', async () => {
    await using workshop = await openWorkshop()
    const { folder, layout } = workshop
    const stray = await workshop.train('true')
    await layout.remove(stray.digest)
    const pruned: string[][] = []
    const stop = new AbortController()
    await workshop.train('echo up; sleep 60', {
      signal: stop.signal,
      onEvent(event) {
        if (event.kind !== 'output') return
        pruneRuns(folder, layout, { before: Date.now() + 60_000, dryRun: false }).then(({ runs }) => {
          pruned.push([...runs])
          stop.abort()
        })
      },
    })
    assert.deepEqual(pruned, [[stray.record.id]])
  })
})

async function waitForText(path: string, wanted: string): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if ((await readFile(path, 'utf8')).includes(wanted)) return
    await sleep(20)
  }
  assert.fail(`no "${wanted}" came in ${path}`)
}

async function waitForNumber(path: string): Promise<number> {
  for (let i = 0; i < 500; i++) {
    const number = Number(await readFile(path, 'utf8').catch(() => ''))
    if (number > 0) return number
    await sleep(20)
  }
  assert.fail(`no number came in ${path}`)
}
