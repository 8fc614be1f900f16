import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { readFileIfAny, writeFileWhole } from './files.node.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'regatta-files-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('writeFileWhole()', () => {
  it('makes the folders on the way, writes text and bytes, and leaves nothing beside the file', async () => {
    const path = join(folder, 'a', 'b', 'file')
    await writeFileWhole(path, 'Zürich')
    assert.equal(await readFile(path, 'utf8'), 'Zürich')
    await writeFileWhole(path, Uint8Array.of(0, 255))
    assert.deepEqual([...(await readFile(path))], [0, 255])
    assert.deepEqual(await readdir(join(folder, 'a', 'b')), ['file'])
  })

  it('gives the file the wished mode, also where it was there with another', async () => {
    const path = join(folder, 'secret')
    await writeFile(path, 'old', { mode: 0o644 })
    await writeFileWhole(path, 'new', 0o600)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
  })

  it('leaves no part where the file cannot be put in its place', async () => {
    const path = join(folder, 'taken')
    await mkdir(join(path, 'inner'), { recursive: true })
    await assert.rejects(writeFileWhole(path, 'x'), { code: 'EISDIR' })
    assert.deepEqual(await readdir(folder), ['taken'])
  })

  it('never shows a reader a part, however many write at once', async () => {
    const path = join(folder, 'file')
    const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(200_000))
    await writeFileWhole(path, texts[0] ?? '')
    const writing = Promise.all(texts.map(text => writeFileWhole(path, text)))
    let done = false
    void writing.finally(() => {
      done = true
    })
    do assert.ok(texts.includes(await readFile(path, 'utf8')))
    while (!done)
    await writing
    assert.deepEqual(await readdir(folder), ['file'])
  })
})

describe('readFileIfAny()', () => {
  it('gives undefined for no file, and the error of anything else', async () => {
    assert.equal(await readFileIfAny(join(folder, 'none')), undefined)
    assert.equal(await readFileIfAny(join(folder, 'none', 'deeper')), undefined)
    await writeFile(join(folder, 'file'), 'text')
    assert.equal(await readFileIfAny(join(folder, 'file')), 'text')
    await assert.rejects(readFileIfAny(folder), { code: 'EISDIR' })
  })
})
