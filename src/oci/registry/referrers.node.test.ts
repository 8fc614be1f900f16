import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { listReferrers, parseReference, pullImage, pushImage } from '../index.ts'
import type { Descriptor } from '../manifest.ts'
import { openTestPlace, type TestPlace, toTestOptions, writeTestImage } from './testing/image.ts'
import { openTestRegistry, send, type TestRegistry } from './testing/registry.ts'

const never = new AbortController().signal
const SBOM = 'application/spdx+json'
const SIGNATURE = 'application/vnd.example.signature'

/** Puts something about an image into its layout. */
async function attach({ layout }: TestPlace, subject: Descriptor, artifactType: string): Promise<Descriptor> {
  const blob = await layout.writeBlob(Buffer.from(`about ${subject.digest}`), artifactType)
  const { digest, mediaType, size } = subject
  const annotations = { 'org.example.about': artifactType }
  return await layout.putArtifact({ artifactType, layers: [blob], subject: { digest, mediaType, size }, annotations })
}

const toTarget = ({ host }: TestRegistry) => parseReference(`${host}/team/forecast:1`)

describe('what is about an image', () => {
  for (const referrersApi of [true, false]) {
    const how = referrersApi ? 'the referrers API' : 'the tag schema'
    it(`goes to a registry and comes back by ${how}, once however often it is pushed`, async () => {
      await using registry = await openTestRegistry({ referrersApi })
      await using place = await openTestPlace()
      const image = await writeTestImage(place.layout, [10])
      const options = toTestOptions(place.folder)
      const sbom = await attach(place, image, SBOM)
      await pushImage(place.layout, image.digest, toTarget(registry), options, never)
      const signature = await attach(place, image, SIGNATURE)
      for (let times = 0; times < 2; times += 1) {
        await pushImage(place.layout, image.digest, toTarget(registry), options, never)
      }
      const tag = registry.tags.get(`team/forecast:${image.digest.replace(':', '-')}`)
      assert.equal(tag === undefined, referrersApi)
      if (tag !== undefined) {
        const { manifests } = JSON.parse(registry.blobs.get(tag)?.toString() ?? '')
        assert.deepEqual(
          manifests.map((entry: { digest: string; artifactType: string; annotations: object }) => [
            entry.digest,
            entry.artifactType,
            entry.annotations,
          ]),
          [
            [sbom.digest, SBOM, { 'org.example.about': SBOM }],
            [signature.digest, SIGNATURE, { 'org.example.about': SIGNATURE }],
          ],
        )
      }
      await using other = await openTestPlace()
      await pullImage(toTarget(registry), other.layout, toTestOptions(other.folder), never)
      const found = await listReferrers(other.layout, image.digest)
      assert.deepEqual(new Set(found.map(({ digest }) => digest)), new Set([sbom.digest, signature.digest]))
    })
  }

  it('is found on all pages of the answer', async () => {
    await using registry = await openTestRegistry({ referrersApi: true })
    await using place = await openTestPlace()
    const image = await writeTestImage(place.layout, [10])
    const options = toTestOptions(place.folder)
    await attach(place, image, SBOM)
    await attach(place, image, SIGNATURE)
    await pushImage(place.layout, image.digest, toTarget(registry), options, never)
    registry.faults.push(async (_, response, url) => {
      if (!url.pathname.includes('/referrers/')) return false
      const page = Number(url.searchParams.get('page') ?? 0)
      const all = await listReferrers(place.layout, image.digest)
      const headers = { 'content-type': 'application/vnd.oci.image.index.v1+json' }
      const link = page === 0 ? { link: `<${url.pathname}?page=1>; rel="next"` } : undefined
      send(response, 200, { ...headers, ...link }, JSON.stringify({ manifests: all.slice(page, page + 1) }))
      return true
    })
    await using other = await openTestPlace()
    await pullImage(toTarget(registry), other.layout, toTestOptions(other.folder), never)
    assert.equal((await listReferrers(other.layout, image.digest)).length, 2)
  })
})
