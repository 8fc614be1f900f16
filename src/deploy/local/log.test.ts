import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { until } from '../../core/testing/wait.ts'
import { type LogLimits, ProcessLog } from './log.node.ts'
import { ask, deploy, openPlace, toPlan } from './testing/place.ts'

const folder = mkdtempSync(join(tmpdir(), 'regatta-log-'))
const path = join(folder, 'a-1.log')
after(() => rmSync(folder, { recursive: true, force: true }))
beforeEach(() => {
  for (const name of ['', '.1', '.2', '.3']) rmSync(`${path}${name}`, { force: true })
})

const openLog = (limits: Partial<LogLimits> = {}) => new ProcessLog(path, { maxBytes: 100, keep: 2, ...limits })
const toLines = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`)
const toText = (lines: readonly string[]): string => lines.map(line => `${line}\n`).join('')

describe('ProcessLog.rotateIfLong()', () => {
  it('moves a long log aside and keeps the writer, and so many older files', async () => {
    const log = openLog()
    await using writer = await log.openToAppend()
    for (let round = 0; round < 4; round++) {
      await writer.write(`${round} ${'x'.repeat(100)}\n`)
      await log.rotateIfLong()
    }
    await writer.write('after\n')
    await log.rotateIfLong()
    assert.equal(readFileSync(path, 'utf8'), 'after\n')
    assert.match(readFileSync(`${path}.1`, 'utf8'), /^3 x+\n$/)
    assert.match(readFileSync(`${path}.2`, 'utf8'), /^2 x+\n$/)
    assert.equal(existsSync(`${path}.3`), false)
  })

  it('leaves alone a log that is short, or not there', async () => {
    const log = openLog()
    await log.rotateIfLong()
    writeFileSync(path, 'x'.repeat(100))
    await log.rotateIfLong()
    assert.equal(existsSync(`${path}.1`), false)
  })
})

describe('ProcessLog.readLastLines()', () => {
  it('reads the last lines of any log, over rotations, a line without an end and one of many bytes', async () => {
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.integer({ min: 30_000, max: 60_000 }).map(length => 'ä'.repeat(length / 2)),
    )
    const lines = fc.array(
      line.map(text => text.replaceAll(/[\r\n]/g, ' ')),
      { maxLength: 30 },
    )
    const rotated = fc.array(fc.boolean(), { minLength: 30, maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(lines, rotated, fc.nat(12), fc.boolean(), async (lines, rotated, count, ends) => {
        for (const name of ['', ...Array.from({ length: 30 }, (_, age) => `.${age + 1}`)])
          rmSync(`${path}${name}`, { force: true })
        const log = openLog({ maxBytes: 1, keep: 30 })
        for (const [index, text] of lines.entries()) {
          const isOpen = index === lines.length - 1 && !ends && text !== ''
          appendFileSync(path, isOpen ? text : `${text}\n`)
          if (rotated[index]) await log.rotateIfLong()
        }
        assert.deepEqual(await log.readLastLines(count), count === 0 ? [] : lines.slice(-count))
      }),
      { numRuns: 25 },
    )
  })

  it('reads nothing from before a position, not even over a rotation', async () => {
    const log = openLog()
    appendFileSync(path, toText(toLines(1, 20)))
    const since = await log.readEnd()
    assert.deepEqual(await log.readLastLines(5, since), [])
    appendFileSync(path, toText(toLines(21, 22)))
    assert.deepEqual(await log.readLastLines(5, since), toLines(21, 22))
    await log.rotateIfLong()
    appendFileSync(path, toText(toLines(23, 23)))
    assert.deepEqual(await log.readLastLines(5, since), toLines(21, 23))
    assert.deepEqual(await log.readLastLines(2, since), toLines(22, 23))
  })
})

describe('ProcessLog.follow()', () => {
  it('yields the last lines and then every new one, through rotations', async () => {
    const log = openLog({ keep: 3 })
    appendFileSync(path, toText(toLines(1, 5)))
    const end = new AbortController()
    const seen: string[] = []
    for await (const line of log.follow(2, 5, end.signal)) {
      seen.push(line)
      if (line === 'line 60') end.abort()
      if (line === 'line 4') continue
      // A line may be cut in two by a rotation.
      appendFileSync(path, 'line ')
      await log.rotateIfLong()
      appendFileSync(path, `${seen.length + 4}\n`)
    }
    assert.deepEqual(seen, toLines(4, 60))
  })

  it('goes on with the oldest file that is kept where it falls behind', async () => {
    const log = openLog({ keep: 1 })
    const end = new AbortController()
    appendFileSync(path, 'first\n')
    const lines = log.follow(1, 5, end.signal)
    assert.equal((await lines.next()).value, 'first')
    for (const name of ['second', 'third', 'fourth']) {
      appendFileSync(path, `${name} ${'x'.repeat(100)}\n`)
      await log.rotateIfLong()
    }
    assert.match(String((await lines.next()).value), /^fourth x+$/)
    end.abort()
    assert.equal((await lines.next()).done, true)
  })
})

describe('Target.readLog()', () => {
  it('tells and follows what a replica writes while its log is rotated', async () => {
    await using place = await openPlace()
    await using target = await place.open({ logs: { maxBytes: 2000, keep: 3 } })
    const state = await deploy(target, toPlan([['a', 1, 1, place.digests.a, 1]]))
    const wanted = Array.from({ length: 30 }, (_, index) => `${index} ${'x'.repeat(200)}`)
    const [first = '', ...rest] = wanted
    await ask(state, 'a-1', `/chatter?text=${encodeURIComponent(first)}`)
    const seen: string[] = []
    const reading = (async () => {
      for await (const line of target.readLog('a-1', { lines: 10, follow: true }, AbortSignal.timeout(60_000))) {
        seen.push(line)
        if (seen.length === wanted.length) return
      }
    })()
    for (const [at, text] of rest.entries()) {
      await ask(state, 'a-1', `/chatter?text=${encodeURIComponent(text)}`)
      // A reader that falls behind by more files than are kept misses some.
      await until(() => seen.length >= at + 2)
    }
    await reading
    assert.deepEqual(seen, wanted)
    const log = join(place.folder, 'logs', 'a-1.log')
    assert.ok(existsSync(`${log}.1`))
    assert.ok(statSync(log).size < 30 * 200)
    const last = await Array.fromAsync(target.readLog('a-1', { lines: 3, follow: false }, AbortSignal.timeout(60_000)))
    assert.deepEqual(last, wanted.slice(-3))
  })

  it('ends a reader that follows when the target is closed, and names the logs that there are', async () => {
    await using place = await openPlace()
    const target = await place.open()
    await deploy(target, toPlan([['a', 1, 1, place.digests.a, 1]]))
    const options = { lines: 3, follow: true }
    const reading = Array.fromAsync(target.readLog('gateway', options, AbortSignal.timeout(60_000)))
    for (const name of ['b-1', '../routes', 'A', '']) {
      const wanted = { code: 'LOG_NONE', fix: 'Name one of: a-1, gateway' }
      await assert.rejects(Array.fromAsync(target.readLog(name, options, AbortSignal.timeout(60_000))), wanted)
    }
    await target[Symbol.asyncDispose]()
    assert.deepEqual(await reading, [])
  })
})
