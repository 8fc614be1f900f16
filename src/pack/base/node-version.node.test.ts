import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { toDigest } from '../../oci/index.ts'
import { readNodeVersion } from './node-version.node.ts'

describe('readNodeVersion()', () => {
  let folder: string
  const { signal } = new AbortController()
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regatta-node-version-'))
  })
  after(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  async function readOf(content: string | Buffer): Promise<string | undefined> {
    const source = join(folder, 'program')
    await writeFile(source, content)
    return await readNodeVersion(join(folder, 'cache'), { source, digest: toDigest(Buffer.from(content)) }, signal)
  }

  it('finds the version of the Node that runs this', async () => {
    const digest = toDigest(Buffer.from('the Node that runs this'))
    const found = await readNodeVersion(join(folder, 'cache'), { source: process.execPath, digest }, signal)
    assert.equal(`v${found}`, process.version)
  })

  it('finds it where a chunk of the file ends within', async () => {
    const text = '/download/release/v24.1.10/node'
    for (const at of [1, 19, 20, 27]) {
      assert.equal(await readOf(Buffer.concat([Buffer.alloc(1024 * 1024 - at), Buffer.from(text)])), '24.1.10', `${at}`)
    }
  })

  it('passes over what only looks like it, and gives undefined where there is none', async () => {
    assert.equal(await readOf('/download/release/vX/ /download/release/v1.2.3/'), '1.2.3')
    assert.equal(await readOf('/download/release/v'), undefined)
    assert.equal(await readOf(''), undefined)
  })

  it('remembers what it found by the digest', async () => {
    const cache = join(folder, 'cache')
    const digest = toDigest(Buffer.from('one'))
    const source = join(folder, 'one')
    await writeFile(source, '/download/release/v1.2.3/')
    assert.equal(await readNodeVersion(cache, { source, digest }, signal), '1.2.3')
    await rm(source)
    assert.equal(await readNodeVersion(cache, { source, digest }, signal), '1.2.3')
  })
})
