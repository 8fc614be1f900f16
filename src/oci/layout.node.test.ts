import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { toDigest } from './digest.ts'
import { FROM } from './entry.ts'
import { type ImageLayout, openLayout } from './layout.node.ts'
import { MEDIA_TYPES } from './manifest.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const RUN = 'application/vnd.example.run.v1+json'

async function* pieces(...texts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const text of texts) yield bytes(text)
}

/** Puts an artifact that holds one text. */
async function putText(layout: ImageLayout, text: string, more: { ref?: string; name?: string } = {}) {
  const layer = await layout.writeBlob(bytes(text), 'text/plain')
  return await layout.putArtifact({
    artifactType: RUN,
    layers: [layer],
    ...(more.name !== undefined && { annotations: { 'org.example.name': more.name } }),
    ...(more.ref !== undefined && { ref: more.ref }),
  })
}

describe('openLayout()', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regatta-layout-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('makes a layout of version 1.0.0 with an empty index', async () => {
    const layout = await openLayout(folder)
    assert.equal(await readFile(join(folder, 'oci-layout'), 'utf8'), '{"imageLayoutVersion":"1.0.0"}')
    assert.deepEqual(JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')), {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [],
    })
    assert.deepEqual(await layout.list(), [])
  })

  it('names every blob by its digest and leaves no part', async () => {
    const layout = await openLayout(folder)
    await putText(layout, 'one')
    await layout.writeBlob(pieces('a', '', 'b'), 'text/plain')
    const names = await readdir(join(folder, 'blobs', 'sha256'))
    assert.equal(names.length, 4)
    for (const name of names) {
      assert.equal(`sha256:${name}`, toDigest(await readFile(join(folder, 'blobs', 'sha256', name))))
    }
    assert.deepEqual(await readdir(join(folder, 'ingest')), [])
  })

  it('leaves nothing of a blob whose source fails', async () => {
    const layout = await openLayout(folder)
    const failing = (async function* () {
      yield bytes('half')
      throw new Error('the source broke')
    })()
    await assert.rejects(layout.writeBlob(failing, 'text/plain'), /the source broke/)
    assert.deepEqual(await readdir(join(folder, 'ingest')), [])
    assert.deepEqual(await readdir(join(folder, 'blobs', 'sha256')), [])
  })

  it('reads a blob and streams the same', async () => {
    const layout = await openLayout(folder)
    const { digest, size } = await layout.writeBlob(pieces('regat', 'ta'), 'text/plain')
    assert.equal(size, 7)
    assert.equal(Buffer.from(await layout.readBlob(digest)).toString(), 'regatta')
    const chunks: Uint8Array[] = []
    for await (const chunk of layout.openBlob(digest)) chunks.push(chunk)
    assert.equal(Buffer.concat(chunks).toString(), 'regatta')
  })

  it('refuses a blob that was changed and one that is not there', async () => {
    const layout = await openLayout(folder)
    const { digest } = await layout.writeBlob(bytes('true'), 'text/plain')
    await writeFile(join(folder, 'blobs', 'sha256', digest.slice(7)), 'fals')
    await assert.rejects(layout.readBlob(digest), { code: 'BLOB_DIGEST' })
    await assert.rejects(layout.readBlob(toDigest(bytes('absent'))), { code: 'BLOB_MISSING' })
  })

  it('lists artifacts by type and annotation, and finds them by name and digest', async () => {
    const layout = await openLayout(folder)
    const one = await putText(layout, 'one', { name: 'first', ref: 'run-1' })
    const two = await putText(layout, 'two', { name: 'second' })
    const found = await layout.list({ artifactType: RUN, annotations: { 'org.example.name': 'second' } })
    assert.deepEqual(
      found.map(entry => entry.digest),
      [two.digest],
    )
    assert.deepEqual(await layout.list({ artifactType: 'text/other' }), [])
    assert.equal((await layout.resolve('run-1'))?.digest, one.digest)
    assert.equal((await layout.resolve(two.digest))?.ref, undefined)
    assert.equal(await layout.resolve('run-2'), undefined)
    const manifest = await layout.readManifest(one.digest)
    assert.equal(manifest.artifactType, RUN)
    assert.equal(manifest.config.mediaType, 'application/vnd.oci.empty.v1+json')
  })

  it('gives a name to its last holder and keeps one entry for the same manifest', async () => {
    const layout = await openLayout(folder)
    await putText(layout, 'one', { ref: 'latest' })
    const two = await putText(layout, 'two', { ref: 'latest' })
    await putText(layout, 'three')
    await putText(layout, 'three')
    assert.equal((await layout.resolve('latest'))?.digest, two.digest)
    assert.equal((await layout.list()).length, 2)
  })

  it('loses no entry where several write at once', async () => {
    const layouts = await Promise.all(Array.from({ length: 8 }, () => openLayout(folder)))
    await Promise.all(layouts.map((layout, i) => putText(layout, `text ${i}`, { ref: `run-${i}` })))
    assert.equal((await (await openLayout(folder)).list()).length, 8)
  })

  it('refuses a manifest whose blobs are not there, and a name that is none', async () => {
    const layout = await openLayout(folder)
    const layer = { mediaType: 'text/plain', digest: toDigest(bytes('absent')), size: 6 }
    await assert.rejects(layout.putArtifact({ artifactType: RUN, layers: [layer] }), { code: 'BLOB_MISSING' })
    await assert.rejects(putText(layout, 'one', { ref: 'no name' }), { code: 'REF_NAME' })
    assert.deepEqual(await layout.list(), [])
  })

  it('keeps what it does not know of the index', async () => {
    await openLayout(folder)
    const path = join(folder, 'index.json')
    const other = { mediaType: 'text/x', digest: toDigest(bytes('x')), size: 1, urls: ['https://example.com/x'] }
    await writeFile(path, JSON.stringify({ schemaVersion: 2, manifests: [other], annotations: { a: 'b' } }))
    await putText(await openLayout(folder), 'one')
    const index = JSON.parse(await readFile(path, 'utf8'))
    assert.deepEqual(index.manifests[0], other)
    assert.deepEqual(index.annotations, { a: 'b' })
  })

  it('refuses a newer layout, a newer index and a folder with other files', async () => {
    await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}')
    await assert.rejects(openLayout(folder), { code: 'LAYOUT_VERSION', fix: /newer program/ })
    await rm(join(folder, 'oci-layout'))
    await openLayout(folder)
    await writeFile(join(folder, 'index.json'), '{"schemaVersion":3,"manifests":[]}')
    await assert.rejects(openLayout(folder), { code: 'MANIFEST', fix: /./ })
    const other = join(folder, 'other')
    await mkdir(other)
    await writeFile(join(other, 'notes.txt'), 'mine')
    await assert.rejects(openLayout(other), { code: 'LAYOUT_FOREIGN' })
    assert.deepEqual(await readdir(other), ['notes.txt'])
  })

  it('removes the parts of processes that died long ago', async () => {
    await openLayout(folder)
    await mkdir(join(folder, 'ingest'), { recursive: true })
    const old = join(folder, 'ingest', 'old.part')
    await writeFile(old, 'half')
    await writeFile(join(folder, 'ingest', 'new.part'), 'half')
    await utimes(old, 1, 1)
    await openLayout(folder)
    assert.deepEqual(await readdir(join(folder, 'ingest')), ['new.part'])
  })

  it('enters an image whose layers lie elsewhere only where it says so, and an index only whole', async () => {
    const layout = await openLayout(folder)
    const config = await layout.writeBlob(Buffer.from('{}'), MEDIA_TYPES.config)
    const layer = { mediaType: MEDIA_TYPES.layerGzip, digest: toDigest(Buffer.from('far away')), size: 8 }
    const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config, layers: [layer] } as const
    await assert.rejects(layout.putManifest(manifest), { code: 'BLOB_MISSING' })
    const annotations = { [FROM]: 'registry.example.com/node' }
    const entered = await layout.putManifest(manifest, { annotations })
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [entered] }
    const blob = await layout.writeBlob(Buffer.from(JSON.stringify(index)), MEDIA_TYPES.index)
    await assert.rejects(layout.enter(blob), { code: 'BLOB_MISSING' })
    await layout.enter(blob, { annotations, ref: 'all' })
    assert.equal((await layout.resolve('all'))?.annotations[FROM], 'registry.example.com/node')
  })
})
