import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { RunLog, readLogTail } from './run-log.node.ts'

const toLines = (count: number): string[] => Array.from({ length: count }, (_, index) => `line ${index + 1}`)

let folder = ''
let path = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'regatta-log-'))
  path = join(folder, 'log.txt')
})
afterEach(() => rm(folder, { recursive: true }))

describe('RunLog', () => {
  it('keeps all lines in the file and the last 50 aside', async () => {
    using log = new RunLog(path)
    log.append(toLines(60))
    log.append(['x'.repeat(3000)])
    assert.deepEqual([...log.tail], [...toLines(60).slice(11), 'x'.repeat(2000)])
    assert.equal(await readFile(path, 'utf8'), `${toLines(60).join('\n')}\n${'x'.repeat(3000)}\n`)
    assert.deepEqual(log.toNotes(), [])
  })

  it('is a true beginning of what was written where that is too much', async () => {
    using log = new RunLog(path, 20)
    for (const line of ['1234567', '12345678901234567890', 'é']) log.append([line])
    assert.equal(await readFile(path, 'utf8'), '1234567\n')
    assert.deepEqual([...log.tail], ['1234567', '12345678901234567890', 'é'])
    assert.match(log.toNotes().join(), /the last 2 lines are left out/)
  })

  it('writes over no other log', async () => {
    await writeFile(path, 'mine')
    assert.throws(() => new RunLog(path), { code: 'EEXIST' })
  })
})

describe('readLogTail()', () => {
  it('reads what the log kept aside', async () => {
    for (const count of [0, 1, 49, 50, 51]) {
      await rm(path, { force: true })
      using log = new RunLog(path)
      log.append(toLines(count))
      assert.deepEqual(await readLogTail(path), [...log.tail])
    }
  })

  it('reads only the end of a long log', async () => {
    await writeFile(path, `${'x'.repeat(200_000)}\nlast\n`)
    assert.deepEqual(await readLogTail(path), ['last'])
  })

  it('reads a line that was cut off, and nothing where no log is', async () => {
    await writeFile(path, 'a\n\nb')
    assert.deepEqual(await readLogTail(path), ['a', '', 'b'])
    assert.deepEqual(await readLogTail(join(folder, 'none.txt')), [])
  })
})
