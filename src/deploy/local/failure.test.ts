import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toExitFailure, toReason } from './failure.ts'

const none = { code: undefined, signal: undefined, problem: undefined }

describe('toExitFailure()', () => {
  const cases = [
    [{ ...none, code: 0 }, 'EXITED', 'exited with code 0'],
    [{ ...none, signal: 'SIGSEGV' }, 'CRASHED', 'was killed by SIGSEGV'],
    [{ ...none, signal: 'SIGKILL' }, 'KILLED', 'was killed by SIGKILL (by hand, or the system ran out of memory)'],
    [{ ...none, problem: new Error('spawn x EACCES') }, 'SPAWN', 'could not be started: spawn x EACCES'],
  ] as const
  for (const [exit, code, reason] of cases)
    it(`says that it ${reason}`, () => assert.deepEqual(toExitFailure(exit), { code, reason }))
})

describe('toReason()', () => {
  it('ends with the words of the log, without empty lines and the rest of long ones', () => {
    const failure = { code: 'EXITED', reason: 'exited with code 1' }
    assert.equal(
      toReason('a-1', failure, ['one', ' ', 'x'.repeat(1000)]),
      `a-1 exited with code 1; its log ends with:\none\n${'x'.repeat(300)}`,
    )
    assert.equal(toReason('a-1', failure, ['']), 'a-1 exited with code 1; it wrote no log')
  })
  it('is the sentence alone for a process that was killed from outside', () => {
    assert.equal(toReason('a-1', { code: 'KILLED', reason: 'was killed' }, ['ready']), 'a-1 was killed')
  })
})
