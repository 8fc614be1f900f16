import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { toStatePaths } from '../../config/index.ts'
import { ADMIN, Place, type Running, toBatch, toRecord, toRequestId } from '../../control/testing/place.ts'
import { readProcessId } from '../../core/process.node.ts'
import { writeUpRecord } from '../../core/up-record.node.ts'

/* The command as a process of its own, against a real control on SQLite. */

const COMMAND = resolve(import.meta.dirname, '../../../bin/regatta.ts')
const ROWS = 50_000
const PREDICTED = 2000

let place: Place
let running: Running
beforeEach(async () => {
  place = await Place.open()
  running = await place.start()
  const paths = toStatePaths(place.folder)
  await mkdir(dirname(paths.upRecord), { recursive: true })
  await writeFile(join(place.folder, 'regatta.yaml'), 'name: forecast\n')
  await writeFile(paths.token, `${ADMIN}\n`, { mode: 0o600 })
  const self = await readProcessId(process.pid)
  assert.ok(self !== undefined)
  await writeUpRecord(paths.upRecord, { process: self, controlUrl: running.control.url })
})
afterEach(async () => await place[Symbol.asyncDispose]())

/** Two variants that predicted the first requests. */
async function predict(): Promise<void> {
  for (const body of [{ version: 1 }, { version: 2, variant: 'b', challenger: { mode: 'shadow' } }]) {
    const digest = await place.addImage(body.version)
    assert.equal((await running.json('POST', '/api/v1/deploy', { ...body, digest })).status, 200)
  }
  const epoch = Number((await running.json('GET', '/api/v1/status')).body['epoch'])
  const records = Array.from({ length: PREDICTED }, (_, at) => [
    toRecord(at, 1, at, { epoch }),
    toRecord(at, 2, at + 1, { epoch, served: false }),
  ])
  assert.equal((await running.json('POST', '/api/v1/records', toBatch(records.flat()))).status, 200)
}

async function writeTruths(): Promise<string> {
  const path = join(place.folder, 'truths.csv')
  await writeFile(path, 'id,y\n')
  for (let from = 0; from < ROWS; from += 10_000) {
    const lines = Array.from({ length: 10_000 }, (_, at) => `${toRequestId(from + at)},${from + at}\n`)
    await appendFile(path, lines.join(''))
  }
  return path
}

function start(file: string): ChildProcess {
  const args = [COMMAND, 'truth', file, '--columns', 'prediction=id,value=y', '--cwd', place.folder, '--json']
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
}

async function finish(child: ChildProcess): Promise<{ readonly code: unknown; readonly out: string }> {
  const out: string[] = []
  const err: string[] = []
  child.stdout?.on('data', chunk => out.push(String(chunk)))
  child.stderr?.on('data', chunk => err.push(String(chunk)))
  const [code] = await once(child, 'close')
  return { code, out: code === 0 ? out.join('') : err.join('') }
}

describe('regatta truth', () => {
  it('counts nothing twice where it was killed half-way and started again', async () => {
    await predict()
    const file = await writeTruths()
    const killed = start(file)
    while ((await running.store.readTruthCounts()).orphan < ROWS / 4) await sleep(5)
    killed.kill('SIGKILL')
    await once(killed, 'close')
    const half = await running.store.readTruthCounts()
    assert.ok(half.new + half.orphan < ROWS, JSON.stringify(half))
    const { code, out } = await finish(start(file))
    assert.equal(code, 0, out)
    const { rows, new: fresh, duplicate, orphan } = JSON.parse(out) as Record<string, number>
    assert.equal(rows, ROWS)
    assert.equal((fresh ?? 0) + (duplicate ?? 0) + (orphan ?? 0), ROWS)
    // A batch that was on its way may have been stored after the count above.
    assert.ok((duplicate ?? 0) >= half.new + half.orphan, `${duplicate} of ${JSON.stringify(half)}`)
    const all = await running.store.readTruthCounts()
    assert.deepEqual([all.new, all.orphan], [PREDICTED, ROWS - PREDICTED])
    const race = (await running.json('GET', '/api/v1/race')).body as {
      variants: { labels: number; meanLoss: number }[]
    }
    assert.deepEqual(
      race.variants.map(({ labels, meanLoss }) => [labels, meanLoss]),
      [
        [PREDICTED, 0],
        [PREDICTED, 1],
      ],
    )
  })

  it('waits for a control that is away for a moment', async () => {
    const file = join(place.folder, 'truths.ndjson')
    const lines = Array.from({ length: 20_000 }, (_, at) => JSON.stringify({ prediction: toRequestId(at), value: at }))
    await writeFile(file, lines.join('\n'))
    const args = [COMMAND, 'truth', file, '--cwd', place.folder, '--json']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const finished = finish(child)
    while ((await running.store.readTruthCounts()).orphan < 2000) await sleep(5)
    await running.stop()
    await sleep(300)
    running = await place.start()
    const self = await readProcessId(process.pid)
    assert.ok(self !== undefined)
    await writeUpRecord(toStatePaths(place.folder).upRecord, { process: self, controlUrl: running.control.url })
    const { code, out } = await finished
    assert.equal(code, 0, out)
    assert.equal((JSON.parse(out) as Record<string, number>)['rows'], 20_000)
    assert.equal((await running.store.readTruthCounts()).orphan, 20_000)
  })

  it('stops at a row that is wrong, or leaves it out, and says which', async () => {
    const file = join(place.folder, 'truths.csv')
    await writeFile(file, `prediction,value\n${toRequestId(1)},1\n${toRequestId(2)},spam\n${toRequestId(3)},NaN\n`)
    const run = (...more: string[]) =>
      finish(spawn(process.execPath, [COMMAND, 'truth', file, '--cwd', place.folder, ...more]))
    const stopped = await run()
    assert.equal(stopped.code, 1)
    assert.match(stopped.out, /error\[TRUTH\] Cannot take line 4: column "value" is no finite number/)
    const skipped = await run('--on-error', 'skip')
    assert.deepEqual(skipped, {
      code: 0,
      out: 'new 0  duplicate 1  revised 0  stale 0  conflict 0  orphan 0  refused 2\n',
    })
  })
})
