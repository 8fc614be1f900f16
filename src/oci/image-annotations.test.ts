import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toDigest } from './digest.ts'
import { readImageAnnotations } from './image-annotations.ts'
import { MEDIA_TYPES } from './manifest.ts'

const DIGEST = toDigest(Buffer.from('x'))
const descriptor = { mediaType: MEDIA_TYPES.config, digest: DIGEST, size: 1 }

function read(document: unknown): ReturnType<typeof readImageAnnotations> {
  const text = typeof document === 'string' ? document : JSON.stringify(document)
  const readBlob = async (): Promise<Uint8Array<ArrayBuffer>> => new TextEncoder().encode(text)
  return readImageAnnotations({ readBlob }, DIGEST)
}

describe('readImageAnnotations()', () => {
  const annotations = { 'dev.regatta.version': '3' }

  it('reads those of one platform and those of several', async () => {
    const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config: descriptor, layers: [] }
    assert.deepEqual(await read({ ...manifest, annotations }), annotations)
    assert.deepEqual(await read(manifest), {})
    assert.deepEqual(
      await read({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [], annotations }),
      annotations,
    )
  })

  it('refuses what is neither', async () => {
    await assert.rejects(read('no document'), { code: 'MANIFEST' })
    await assert.rejects(read({ mediaType: 'text/plain' }), { code: 'MANIFEST' })
  })
})
