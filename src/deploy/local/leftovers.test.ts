import assert from 'node:assert/strict'
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isRunning, type ProcessId, readProcessId } from '../../core/process.node.ts'
import { cleanLeftovers } from '../index.ts'
import { SUPERVISOR_VARIABLE } from './environment.ts'
import { toSupervisorMark } from './leftovers.node.ts'
import { writeProcessRecord } from './records.node.ts'
import { listAlive, openPlace } from './testing/place.ts'

type Place = Awaited<ReturnType<typeof openPlace>>

/** A process that sleeps for a minute, killed on disposal. */
async function openSleeper(environment: NodeJS.ProcessEnv = {}) {
  const child = spawn('sleep', ['60'], { env: { PATH: process.env['PATH'], ...environment }, stdio: 'ignore' })
  await once(child, 'spawn')
  const id = readProcessId(child.pid ?? 0)
  assert.ok(id !== undefined)
  return { ...id, child, [Symbol.dispose]: () => child.kill('SIGKILL') }
}

/** Starts a supervisor in a process of its own, with two replicas and a gateway that are ready. */
async function startSupervisor(
  place: Place,
): Promise<{ supervisor: ChildProcess; processes: ProcessId[]; urls: string[] }> {
  const testing = join(import.meta.dirname, 'testing')
  const parameters = [place.folder, place.layout.folder, join(testing, 'program.ts'), place.digests.a]
  const supervisor = fork(join(testing, 'supervisor.ts'), parameters, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [{ processes, urls }] = await once(supervisor, 'message', { signal: AbortSignal.timeout(60_000) })
  return { supervisor, processes, urls }
}

async function killNow(supervisor: ChildProcess): Promise<void> {
  const end = once(supervisor, 'exit')
  supervisor.kill('SIGKILL')
  await end
}

describe('cleanLeftovers()', () => {
  it('finds nothing, and makes nothing, where nothing ever ran', async () => {
    await using place = await openPlace()
    assert.deepEqual(await cleanLeftovers(place.folder), [])
    assert.equal(existsSync(place.folder), false)
  })

  it('stops every process of a supervisor killed with -9, with or without a pid file, and nothing listens', async () => {
    await using place = await openPlace()
    const { supervisor, processes, urls } = await startSupervisor(place)
    assert.equal(processes.length, 3)
    await assert.rejects(cleanLeftovers(place.folder), { code: 'TARGET_LOCKED' })
    await killNow(supervisor)
    assert.equal(listAlive(processes).length, 3)
    // As where it died before it wrote the one, and while it wrote the other.
    const records = join(place.folder, 'processes')
    writeFileSync(join(records, 'a-1.json'), '{"pid":')
    writeFileSync(join(records, 'a-2.json.0123456789ab.part'), '{"pid":')
    const lines = await cleanLeftovers(place.folder)
    assert.deepEqual(listAlive(processes), [])
    const pids = processes.map(({ pid }) => pid).sort((a, b) => a - b)
    const told = lines.map(line => Number(/^stopped .+ \(process (\d+)\)$/.exec(line)?.[1])).sort((a, b) => a - b)
    assert.deepEqual(told, pids)
    assert.ok(lines.some(line => line.startsWith('stopped gateway')))
    assert.ok(lines.some(line => line.startsWith('stopped a process without a record')))
    for (const url of urls) await assert.rejects(fetch(url), { message: 'fetch failed' })
    assert.deepEqual(readdirSync(records), [])
    assert.deepEqual(await cleanLeftovers(place.folder), [])
  })

  it('leaves alone a process that has the number of one that ended', async () => {
    await using place = await openPlace()
    using stranger = await openSleeper()
    const { pid, startTime } = stranger
    await writeProcessRecord(place.folder, 'a-1', { pid, startTime: `${startTime}0`, kind: 'replica' })
    await writeProcessRecord(place.folder, 'a-2', { pid, startTime: startTime.replace(/^./, 'x'), kind: 'replica' })
    assert.deepEqual(await cleanLeftovers(place.folder), [])
    assert.ok(isRunning(stranger))
    assert.deepEqual(readdirSync(join(place.folder, 'processes')), [])
  })

  it('leaves alone a process of another folder', async () => {
    await using place = await openPlace()
    await mkdir(place.folder)
    using own = await openSleeper({ [SUPERVISOR_VARIABLE]: toSupervisorMark(place.folder) })
    using other = await openSleeper({ [SUPERVISOR_VARIABLE]: toSupervisorMark(place.root) })
    assert.deepEqual(await cleanLeftovers(place.folder), [`stopped a process without a record (process ${own.pid})`])
    assert.ok(isRunning(other))
  })
})

describe('openLocalTarget()', () => {
  it('stops what a supervisor killed with -9 left, stopped processes too, and says so', async () => {
    await using place = await openPlace()
    const { supervisor, processes } = await startSupervisor(place)
    await killNow(supervisor)
    process.kill(processes[0]?.pid ?? 0, 'SIGSTOP')
    await using _target = await place.open()
    assert.deepEqual(listAlive(processes), [])
    const stopped = place.events.flatMap(event => (event.kind === 'leftover-stopped' ? [event.process] : []))
    assert.deepEqual(stopped.sort(), ['a-1', 'a-2', 'gateway'])
    const path = join(place.folder, 'logs', 'a-1.log')
    assert.equal(readFileSync(path, 'utf8'), '')
  })
})
