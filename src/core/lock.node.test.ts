import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { takeFileLock, waitForFileLock } from './lock.node.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'regatta-lock-'))
  path = join(folder, 'deep', 'a.lock')
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** Starts a process that takes the lock and holds it. */
async function holdElsewhere(): Promise<{ kill(): Promise<void> }> {
  const script = `
    const { takeFileLock } = await import(${JSON.stringify(join(import.meta.dirname, 'lock.node.ts'))})
    const lock = await takeFileLock(process.argv[1])
    console.log(lock === undefined ? 'busy' : 'held')
    setInterval(() => lock, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  assert.equal(String(line), 'held\n')
  return {
    async kill() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

describe('takeFileLock()', () => {
  it('gives the lock to one holder, and again once it is given back', async () => {
    {
      await using lock = await takeFileLock(path)
      assert.equal(lock?.path, path)
      assert.equal(await takeFileLock(path), undefined)
    }
    await using again = await takeFileLock(path)
    assert.ok(again)
  })

  it('gives it on a full disk, too', async t => {
    const run = promisify(execFile)
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).catch(
      (error: unknown) => error,
    )
    if (mounted instanceof Error) return t.skip(`cannot mount a small tmpfs: ${mounted.message}`)
    try {
      await assert.rejects(writeFile(join(folder, 'fill'), Buffer.alloc(1024 * 1024)), { code: 'ENOSPC' })
      await using lock = await takeFileLock(join(folder, 'a.lock'))
      assert.ok(lock)
      assert.equal(await takeFileLock(join(folder, 'a.lock')), undefined)
    } finally {
      await run('umount', [folder])
    }
  })

  it('says where it cannot', async () => {
    await mkdir(path, { recursive: true })
    await assert.rejects(takeFileLock(path), { code: 'LOCK', message: /a\.lock/ })
  })

  it('is held against other processes, and free once the holder was killed', async () => {
    const holder = await holdElsewhere()
    try {
      assert.equal(await takeFileLock(path), undefined)
    } finally {
      await holder.kill()
    }
    await using lock = await takeFileLock(path)
    assert.ok(lock)
  })

  it('throws where the file is no lock', async () => {
    const other = join(folder, 'notes.txt')
    await writeFile(other, 'these are notes, and no lock at all\n'.repeat(100))
    await assert.rejects(takeFileLock(other), /not a database/)
  })
})

describe('waitForFileLock()', () => {
  it('waits for its turn', async () => {
    const first = await takeFileLock(path)
    assert.ok(first)
    let got = false
    const waiting = waitForFileLock(path, AbortSignal.timeout(10_000)).then(lock => {
      got = true
      return lock
    })
    await sleep(60)
    assert.equal(got, false)
    await first[Symbol.asyncDispose]()
    await using second = await waiting
    assert.equal(second.path, path)
  })

  it('lets one in at a time, however many wait', async () => {
    let inside = 0
    const visit = async (): Promise<void> => {
      await using _lock = await waitForFileLock(path, AbortSignal.timeout(10_000))
      inside++
      assert.equal(inside, 1)
      await sleep(1)
      inside--
    }
    await Promise.all(Array.from({ length: 8 }, visit))
  })

  it("rejects with the signal's reason, before and while it waits", async () => {
    await using lock = await takeFileLock(path)
    assert.ok(lock)
    const before = new Error('before')
    await assert.rejects(waitForFileLock(path, AbortSignal.abort(before)), error => error === before)
    const stop = new AbortController()
    const reason = new Error('the person went away')
    const waiting = waitForFileLock(path, stop.signal)
    await sleep(40)
    stop.abort(reason)
    await assert.rejects(waiting, error => error === reason)
    await assert.rejects(waitForFileLock(path, AbortSignal.timeout(30)), { name: 'TimeoutError' })
  })
})
