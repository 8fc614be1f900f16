import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { findMarked, MARK, readUsage } from './process-mark.ts'

describe('findMarked()', () => {
  it('finds a process whose parent has ended and which leads a session of its own', async () => {
    const mark = `test-${process.pid}`
    // The shell ends at once; what it leaves waits for its input to end.
    const child = spawn('sh', ['-c', 'setsid cat <&3 & echo $!'], {
      env: { ...process.env, [MARK]: mark },
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    })
    assert.ok(child.stdout)
    const [line] = await once(child.stdout, 'data')
    if (child.exitCode === null) await once(child, 'exit')
    try {
      assert.deepEqual(findMarked(mark), [Number(line)])
      assert.ok(readUsage([Number(line)]).rssBytes > 100_000)
    } finally {
      child.stdio[3]?.destroy()
    }
  })

  it('finds those below a mark, and none of a mark that only begins alike', async () => {
    const mark = `test.${process.pid}/a/b`
    const child = spawn('cat', { env: { ...process.env, [MARK]: mark }, stdio: ['pipe', 'ignore', 'inherit'] })
    await once(child, 'spawn')
    try {
      assert.deepEqual(findMarked(mark), [child.pid])
      assert.deepEqual(findMarked(`test.${process.pid}/a`), [child.pid])
      assert.deepEqual(findMarked(`test.${process.pid}`), [child.pid])
      assert.deepEqual(findMarked(`test.${process.pid}/`), [])
      assert.deepEqual(findMarked(`test-${process.pid}`), [])
    } finally {
      child.stdin.end()
      await once(child, 'exit')
    }
  })
})

describe('readUsage()', () => {
  it('counts the time of this process', () => {
    const before = readUsage([process.pid]).cpuS
    for (const until = performance.now() + 100; performance.now() < until; );
    const spent = readUsage([process.pid]).cpuS - before
    assert.ok(spent > 0 && spent < 1, `${spent} s`)
  })

  it('counts nothing for a process that is not there', () => {
    assert.deepEqual(readUsage([2 ** 22 + 1]), { cpuS: 0, rssBytes: 0 })
  })
})
