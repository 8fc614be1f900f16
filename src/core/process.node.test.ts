import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRunning, type ProcessId, readProcessId } from './process.node.ts'

/** The identity of a child that has started its program. */
async function started(child: ChildProcess): Promise<ProcessId> {
  await once(child, 'spawn')
  const id = readProcessId(child.pid ?? 0)
  assert.ok(id)
  return id
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

describe('readProcessId()', () => {
  it('tells this process, the same each time', () => {
    const id = readProcessId(process.pid)
    assert.equal(id?.pid, process.pid)
    assert.match(id?.startTime ?? '', /^[0-9a-f-]{36}\/\d+$/)
    assert.deepEqual(readProcessId(process.pid), id)
  })

  it('gives undefined for numbers of no process', () => {
    for (const pid of [0, -1, 2 ** 30, Number.NaN]) assert.equal(readProcessId(pid), undefined)
  })

  it('reads a process whose name has spaces and parentheses', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'regatta-process-'))
    const program = join(folder, 'a) S 1 (b')
    await copyFile('/bin/sleep', program)
    const child = spawn(program, ['30'])
    try {
      const id = await started(child)
      assert.match(id.startTime, /\/[1-9]\d*$/)
      assert.ok(isRunning(id))
    } finally {
      await end(child)
      await rm(folder, { recursive: true })
    }
  })

  it('gives undefined for a process that has ended and that nobody waited for', async () => {
    // The shell becomes a sleep, which never asks how its child ended.
    const child = spawn('/bin/sh', ['-c', '/bin/sleep 0.05 & echo $!; exec /bin/sleep 30'])
    try {
      const [line] = await once(child.stdout, 'data')
      const pid = Number(String(line))
      assert.ok(pid > 0)
      const deadline = Date.now() + 5000
      while (readProcessId(pid) !== undefined && Date.now() < deadline) await sleep(10)
      assert.equal(readProcessId(pid), undefined)
      // Signal 0 reaches a zombie: the number is still taken.
      assert.ok(process.kill(pid, 0))
    } finally {
      await end(child)
    }
  })
})

describe('isRunning()', () => {
  it('is true until the process ends', async () => {
    const child = spawn('/bin/sleep', ['30'])
    const id = await started(child)
    assert.ok(isRunning(id))
    await end(child)
    assert.equal(isRunning(id), false)
  })

  it('is false for a later process of the same number', () => {
    assert.equal(isRunning({ pid: process.pid, startTime: 'another boot/1' }), false)
  })
})
