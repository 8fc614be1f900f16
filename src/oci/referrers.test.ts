import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type ImageLayout, openLayout } from './layout.node.ts'
import { type Descriptor, MEDIA_TYPES } from './manifest.ts'
import { listReferrers } from './referrers.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const SBOM = 'application/spdx+json'
const SIGNATURE = 'application/vnd.example.signature.v1'

describe('listReferrers()', () => {
  let folder: string
  let layout: ImageLayout
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regatta-referrers-'))
    layout = await openLayout(folder)
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  async function put(artifactType: string, text: string, subject?: Descriptor, ref?: string): Promise<Descriptor> {
    const layer = await layout.writeBlob(bytes(text), artifactType)
    return await layout.putArtifact({
      artifactType,
      layers: [layer],
      annotations: { 'org.example.text': text },
      ...(subject && { subject }),
      ...(ref !== undefined && { ref }),
    })
  }
  const toDigests = (found: readonly Descriptor[]) => found.map(({ digest }) => digest)

  it('finds what is about a manifest, with its type and annotations, and nothing else', async () => {
    const image = await put('text/plain', 'image')
    const other = await put('text/plain', 'other')
    const sbom = await put(SBOM, 'parts', image)
    const signature = await put(SIGNATURE, 'signed', image, 'signature')
    await put(SBOM, 'parts', other)
    assert.deepEqual(await listReferrers(layout, image.digest), [
      { ...sbom, artifactType: SBOM, annotations: { 'org.example.text': 'parts' } },
      { ...signature, artifactType: SIGNATURE, annotations: { 'org.example.text': 'signed' } },
    ])
    assert.deepEqual(toDigests(await listReferrers(layout, image.digest, { artifactType: SIGNATURE })), [
      signature.digest,
    ])
    assert.deepEqual(await listReferrers(layout, sbom.digest), [])
  })

  it('lists once what stands under several names, and passes over what is gone', async () => {
    const image = await put('text/plain', 'image')
    const sbom = await put(SBOM, 'parts', image)
    await layout.enter(sbom, { ref: 'named' })
    assert.deepEqual(toDigests(await listReferrers(layout, image.digest)), [sbom.digest])
    await rm(join(folder, 'blobs', 'sha256', sbom.digest.slice(7)))
    assert.deepEqual(await listReferrers(layout, image.digest), [])
  })

  it('finds an index, and takes the config for the type of a manifest without one', async () => {
    const image = await put('text/plain', 'image')
    const config = await layout.writeBlob(bytes('{"a":1}'), 'application/vnd.example.config')
    const manifest = await layout.putManifest({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.manifest,
      config,
      layers: [config],
      subject: image,
    })
    const text = JSON.stringify({ schemaVersion: 2, artifactType: SBOM, manifests: [], subject: image })
    const index = await layout.writeBlob(bytes(text), MEDIA_TYPES.index)
    await layout.enter(index)
    assert.deepEqual(
      (await listReferrers(layout, image.digest)).map(({ artifactType, digest }) => [artifactType, digest]),
      [
        ['application/vnd.example.config', manifest.digest],
        [SBOM, index.digest],
      ],
    )
  })

  it('refuses a damaged manifest', async () => {
    const image = await put('text/plain', 'image')
    const { digest } = await put(SBOM, 'parts', image)
    await writeFile(join(folder, 'blobs', 'sha256', digest.slice(7)), '{}')
    await assert.rejects(listReferrers(layout, image.digest), { code: 'BLOB_DIGEST' })
  })
})
