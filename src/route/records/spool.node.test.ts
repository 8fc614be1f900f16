import assert from 'node:assert/strict'
import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { Spool } from './spool.node.ts'

const KIB = 1024

describe('Spool', () => {
  let folder = ''
  let files = 0
  const toPath = (): string => join(folder, `spool-${files++}.ndjson`)
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regatta-spool-'))
  })
  after(async () => {
    await rm(folder, { recursive: true })
  })

  const readAll = async (spool: Spool): Promise<readonly string[]> => {
    const all: string[] = []
    while (!spool.isEmpty) {
      const page = await spool.read()
      all.push(...page.lines)
      await spool.take(page)
    }
    return all
  }

  it('gives back every line in order, and leaves an empty file', async () => {
    const path = toPath()
    await using spool = await Spool.open(path, 1024 * KIB)
    const lines = Array.from({ length: 1_234 }, (_, index) => `{"line":${index},"text":"é"}`)
    assert.equal(await spool.append(lines.slice(0, 1_000)), 0)
    assert.equal(await spool.append(lines.slice(1_000)), 0)
    assert.equal((await spool.read()).lines.length, 500)
    assert.deepEqual(await readAll(spool), lines)
    const { size, mode } = await stat(path)
    // What is predicted for whom is nobody else's business.
    assert.deepEqual([size, mode & 0o777], [0, 0o600])
  })

  it('survives a process that is killed: what it took off may come again, and nothing is missing', async () => {
    const path = toPath()
    await using first = await Spool.open(path, KIB)
    await first.append(['1', '2', '3'])
    await first.take({ lines: ['1'], end: 2 })
    const left = toPath()
    await copyFile(path, left)
    await using second = await Spool.open(left, KIB)
    assert.deepEqual(await readAll(second), ['1', '2', '3'])
  })

  it('forgets what was taken off when it closes', async () => {
    const path = toPath()
    const first = await Spool.open(path, KIB)
    await first.append(['1', '2', '3'])
    await first.take({ lines: ['1'], end: 2 })
    await first[Symbol.asyncDispose]()
    assert.equal(await readFile(path, 'utf8'), '2\n3\n')
    assert.deepEqual(
      (await readdir(folder)).filter(name => name.endsWith('.part')),
      [],
    )
  })

  it('ends half a line that a killed process left', async () => {
    const path = toPath()
    await writeFile(path, '1\n{"half')
    await using spool = await Spool.open(path, KIB)
    await spool.append(['2'])
    assert.deepEqual(await readAll(spool), ['1', '{"half', '2'])
  })

  it('takes what fits into its bound, and says how many lines do not', async () => {
    const path = toPath()
    await using spool = await Spool.open(path, 100)
    const line = 'x'.repeat(39)
    assert.equal(await spool.append([line, line, line, line]), 2)
    assert.equal(await spool.append([line]), 1)
    assert.equal(await spool.append(['y'.repeat(19)]), 0)
    assert.equal(await spool.append(['z']), 1)
    assert.equal((await stat(path)).size, 100)
    assert.deepEqual(await readAll(spool), [line, line, 'y'.repeat(19)])
    assert.equal(await spool.append([line, line]), 0)
  })

  it('makes room out of what was taken off', async () => {
    const path = toPath()
    await using spool = await Spool.open(path, 100)
    await spool.append(Array.from({ length: 10 }, (_, index) => `line ${index}..`))
    const { lines } = await spool.read()
    await spool.take({ lines: lines.slice(0, 5), end: 45 })
    assert.equal(await spool.append(['new 0..', 'new 1..']), 0)
    assert.equal((await stat(path)).size, 61)
    assert.deepEqual(await readAll(spool), [...lines.slice(5), 'new 0..', 'new 1..'])
  })

  it('reads a line longer than a block', async () => {
    await using spool = await Spool.open(toPath(), 8192 * KIB)
    const long = 'x'.repeat(3 * 1024 * KIB)
    await spool.append(['short', long, 'short'])
    assert.deepEqual(await readAll(spool), ['short', long, 'short'])
  })

  it('is a queue, whatever is appended and taken in whatever order', async () => {
    const step = fc.oneof(
      fc.array(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 }), { maxLength: 30 }),
      fc.constant('take' as const),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
        const path = toPath()
        await using spool = await Spool.open(path, KIB)
        const wanted: string[] = []
        for (const item of steps) {
          if (item === 'take') {
            const page = await spool.read()
            assert.deepEqual(page.lines, wanted.splice(0, page.lines.length))
            await spool.take(page)
          } else {
            const dropped = await spool.append(item)
            wanted.push(...item.slice(0, item.length - dropped))
          }
          assert.ok((await stat(path)).size <= KIB)
        }
        assert.deepEqual(await readAll(spool), wanted)
      }),
      { numRuns: 40 },
    )
  })

  it('says which file it cannot open', async () => {
    await assert.rejects(Spool.open(join(folder, '\0'), KIB), { code: 'SPOOL', message: /Cannot open the spool/ })
    await writeFile(join(folder, 'file'), '')
    await assert.rejects(Spool.open(join(folder, 'file', 'spool'), KIB), { code: 'SPOOL' })
  })
})
