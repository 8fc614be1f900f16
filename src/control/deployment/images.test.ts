import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toDigest } from '../../oci/index.ts'
import { Place } from '../testing/place.ts'

describe('POST /api/v1/deploy', () => {
  it('refuses a blob that is no image, and says that it holds no version', async () => {
    await using place = await Place.open()
    const running = await place.start()
    const content = new TextEncoder().encode('no manifest')
    const stored = await running.call('/api/v1/blobs', { method: 'POST', body: content })
    assert.equal(stored.status, 200)
    const answer = await running.json('POST', '/api/v1/deploy', { version: 1, digest: toDigest(content) })
    assert.equal(answer.status, 422)
    assert.equal((answer.body['error'] as { readonly code: string }).code, 'VERSION_UNKNOWN')
  })
})
