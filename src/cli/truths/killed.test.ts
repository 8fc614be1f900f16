import assert from 'node:assert/strict'
import { once } from 'node:events'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parquetWriteFile } from 'hyparquet-writer'
import { toRequestId } from '../../control/testing/place.ts'
import { TestProject, toEnd } from '../testing/project.ts'

/* The command as a process of its own, against a real control on SQLite. */

const ROWS = 50_000
const PREDICTED = 2000

let project: TestProject
beforeEach(async () => {
  project = await TestProject.open()
})
afterEach(async () => await project[Symbol.asyncDispose]())

async function writeCsv(path: string): Promise<void> {
  await writeFile(path, 'id,y\n')
  for (let from = 0; from < ROWS; from += 10_000) {
    const lines = Array.from({ length: 10_000 }, (_, at) => `${toRequestId(from + at)},${from + at}\n`)
    await appendFile(path, lines.join(''))
  }
}

async function writeParquet(path: string): Promise<void> {
  const numbers = Array.from({ length: ROWS }, (_, at) => at)
  const columnData = [
    { name: 'id', data: numbers.map(toRequestId) },
    { name: 'y', data: numbers, type: 'DOUBLE' as const },
  ]
  parquetWriteFile({ filename: path, columnData, rowGroupSize: 20_000 })
}

async function untilStored(orphans: number): Promise<void> {
  while ((await project.running.store.readTruthCounts()).orphan < orphans) await sleep(5)
}

describe('regatta truth', () => {
  for (const [format, write] of [
    ['csv', writeCsv],
    ['parquet', writeParquet],
  ] as const) {
    it(`counts nothing of ${format} twice where it was killed half-way and started again`, async () => {
      await project.race(PREDICTED)
      const file = join(project.place.folder, `truths.${format}`)
      await write(file)
      const command = ['truth', file, '--columns', 'prediction=id,value=y', '--json']
      const killed = project.start(...command)
      await untilStored(ROWS / 4)
      killed.kill('SIGKILL')
      await once(killed, 'close')
      const half = await project.running.store.readTruthCounts()
      assert.ok(half.new + half.orphan < ROWS, JSON.stringify(half))
      const { code, out, err } = await project.run(...command)
      assert.equal(code, 0, err)
      const counts = JSON.parse(out) as Record<'rows' | 'new' | 'duplicate' | 'orphan', number>
      assert.equal(counts.rows, ROWS)
      assert.equal(counts.new + counts.duplicate + counts.orphan, ROWS)
      // A batch that was on its way may have been stored after the count above.
      assert.ok(counts.duplicate >= half.new + half.orphan, `${counts.duplicate} of ${JSON.stringify(half)}`)
      const all = await project.running.store.readTruthCounts()
      assert.deepEqual([all.new, all.orphan], [PREDICTED, ROWS - PREDICTED])
      const { arms } = await project.running.store.readScoreboard(1)
      assert.deepEqual(
        arms.map(({ loss }) => [loss.count, loss.mean]),
        [
          [PREDICTED, 0],
          [PREDICTED, 1],
        ],
      )
    })
  }

  it('waits for a control that is away for a moment, and finds it elsewhere', async () => {
    const child = project.start('truth', '-', '--format', 'ndjson', '--json')
    const ended = toEnd(child)
    const lines = Array.from({ length: 20_000 }, (_, at) => `{"prediction":"${toRequestId(at)}","value":${at}}\n`)
    child.stdin?.end(lines.join(''))
    await untilStored(2000)
    await project.restart(300)
    const { code, out, err } = await ended
    assert.equal(code, 0, err)
    assert.match(err, /trying again in/)
    assert.equal((JSON.parse(out) as { rows: number }).rows, 20_000)
    assert.equal((await project.running.store.readTruthCounts()).orphan, 20_000)
  })

  it('stops at a row that is wrong, or leaves it out, and says which', async () => {
    const file = join(project.place.folder, 'truths.csv')
    await writeFile(file, `prediction,value\n${toRequestId(1)},1\n${toRequestId(2)},spam\n${toRequestId(3)},NaN\n`)
    const stopped = await project.run('truth', file)
    assert.equal(stopped.code, 1)
    assert.match(stopped.err, /error\[TRUTH\] Cannot take line 4: column "value" is no finite number/)
    const skipped = await project.run('truth', file, '--on-error', 'skip')
    assert.equal(skipped.code, 0)
    assert.equal(skipped.out, 'new 0  duplicate 1  revised 0  stale 0  conflict 0  orphan 0  refused 2\n')
    assert.match(skipped.err, /left out line 3: .*found "spam"/)
  })
})
