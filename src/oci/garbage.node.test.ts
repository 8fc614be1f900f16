import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Digest } from '../core/brands.ts'
import { collectGarbage } from './garbage.node.ts'
import { type ImageLayout, openLayout } from './layout.node.ts'
import { type Descriptor, MEDIA_TYPES } from './manifest.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('collectGarbage()', () => {
  let folder: string
  let layout: ImageLayout
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regatta-garbage-'))
    layout = await openLayout(folder)
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  const toPath = (digest: Digest): string => join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length))
  const countBlobs = async (): Promise<number> => (await readdir(join(folder, 'blobs', 'sha256'))).length

  /** Writes a blob as if some minutes ago. */
  async function writeOld(text: string, minutes: number): Promise<Digest> {
    const { digest } = await layout.writeBlob(bytes(text), 'text/plain')
    const at = Date.now() / 1000 - minutes * 60
    await utimes(toPath(digest), at, at)
    return digest
  }

  async function putText(text: string, subject?: Descriptor, ref?: string) {
    const layer = await layout.writeBlob(bytes(text), 'text/plain')
    const more = { ...(subject && { subject }), ...(ref !== undefined && { ref }) }
    return await layout.putArtifact({ artifactType: 'text/x', layers: [layer], ...more })
  }

  it('deletes what nothing refers to and is old, and nothing else', async () => {
    await putText('kept')
    const old = await writeOld('left over', 61)
    const young = await writeOld('on its way', 59)
    assert.deepEqual(await collectGarbage(layout, { dryRun: false }), { digests: [old], bytes: 9 })
    assert.equal(await layout.hasBlob(old), false)
    assert.equal(await layout.hasBlob(young), true)
    // The artifact's layer, its config and its manifest.
    assert.equal(await countBlobs(), 4)
  })

  it('only tells with dryRun', async () => {
    const old = await writeOld('left over', 61)
    assert.deepEqual(await collectGarbage(layout, { dryRun: true }), { digests: [old], bytes: 9 })
    assert.equal(await layout.hasBlob(old), true)
  })

  it('leaves an old blob that was kept a moment ago', async () => {
    const old = await writeOld('used again', 61)
    assert.equal(await layout.keepBlob(old), true)
    assert.deepEqual(await collectGarbage(layout, { dryRun: false }), { digests: [], bytes: 0 })
  })

  it('frees a removed manifest, but not the blobs it shares', async () => {
    const one = await putText('one')
    await putText('two')
    await layout.remove(one.digest)
    assert.equal(await layout.resolve(one.digest), undefined)
    const { digests } = await collectGarbage(layout, { dryRun: false, graceMs: 0 })
    // The empty config is the other's too.
    assert.equal(digests.length, 2)
    assert.equal(await countBlobs(), 3)
  })

  it('follows inner indexes', async () => {
    const inner = await putText('deep')
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [inner] }
    await layout.enter(await layout.writeBlob(bytes(JSON.stringify(index)), MEDIA_TYPES.index))
    await layout.remove(inner.digest)
    assert.deepEqual((await collectGarbage(layout, { dryRun: false, graceMs: 0 })).digests, [])
  })

  it('takes what is about an image with it, and what is about that, but nothing that has a name', async () => {
    const [image, kept] = [await putText('image'), await putText('kept')]
    const sbom = await putText('parts', image)
    await putText('signed', sbom)
    // Behind what is about it, as in a copy.
    await layout.enter(sbom)
    await layout.remove(image.digest)
    const other = await putText('other parts', kept)
    const named = await putText('named', image, 'named')
    const dry = await collectGarbage(layout, { dryRun: true, graceMs: 0 })
    assert.equal((await layout.list()).length, 5)
    assert.deepEqual(await collectGarbage(layout, { dryRun: false, graceMs: 0 }), dry)
    // Three manifests and their texts.
    assert.equal(dry.digests.length, 6)
    assert.deepEqual(
      (await layout.list()).map(({ digest }) => digest),
      [kept, other, named].map(({ digest }) => digest),
    )
  })

  it('leaves what is about an image that may be on its way', async () => {
    const image = await putText('image')
    await layout.remove(image.digest)
    const sbom = await putText('parts', image)
    await collectGarbage(layout, { dryRun: false })
    assert.equal((await layout.resolve(sbom.digest))?.digest, sbom.digest)
    await layout.enter(image)
    await collectGarbage(layout, { dryRun: false, graceMs: 0 })
    assert.equal((await layout.list()).length, 2)
  })

  it('deletes nothing where a manifest is damaged, and files that are no blobs never', async () => {
    const { digest } = await putText('one')
    const old = await writeOld('left over', 61)
    await writeFile(join(folder, 'blobs', 'sha256', 'notes.txt'), 'mine')
    await writeFile(toPath(digest), '{}')
    await assert.rejects(collectGarbage(layout, { dryRun: false, graceMs: 0 }), { code: 'BLOB_DIGEST' })
    assert.equal(await layout.hasBlob(old), true)
    await layout.remove(digest)
    await collectGarbage(layout, { dryRun: false, graceMs: 0 })
    assert.deepEqual(await readdir(join(folder, 'blobs', 'sha256')), ['notes.txt'])
  })

  it('never leaves an entered manifest without its blobs, however many write meanwhile', async () => {
    const writers = Array.from({ length: 8 }, async (_, i) => {
      // A grace of 0 takes blobs away from under the writers: some fail, and none may be entered then.
      await putText(`text ${i}`).catch(error => assert.equal(error.code, 'BLOB_MISSING'))
    })
    const collectors = Array.from({ length: 8 }, () => collectGarbage(layout, { dryRun: false, graceMs: 0 }))
    await Promise.all([...writers, ...collectors])
    for (const { digest } of await layout.list()) {
      const { config, layers } = await layout.readManifest(digest)
      for (const blob of [config, ...layers]) assert.ok(await layout.hasBlob(blob.digest))
    }
  })
})
