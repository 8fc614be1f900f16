import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDescriptor, parseImageConfig, parseIndex, parseManifest } from './manifest.ts'

const digest = `sha256:${'ab'.repeat(32)}`
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 3 }
const manifest = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers: [config] }

const WRONG = [
  ['a version other than 2', { ...manifest, schemaVersion: 1 }],
  ['the media type of Docker', { ...manifest, mediaType: 'application/vnd.docker.distribution.manifest.v2+json' }],
  ['layers that are no list', { ...manifest, layers: {} }],
  ['a negative size', { ...manifest, config: { ...config, size: -1 } }],
  ['an annotation that is no text', { ...manifest, annotations: { a: 1 } }],
  ['a subject that is no descriptor', { ...manifest, subject: digest }],
  ['something else than an object', 'manifest'],
] as const

describe('parseManifest()', () => {
  it('reads a manifest and leaves out what it does not know', () => {
    assert.deepEqual(parseManifest({ ...manifest, future: true }), manifest)
  })
  it('reads what a manifest is about', () => {
    const about = { ...manifest, subject: { mediaType: manifest.mediaType, digest, size: 7 } }
    assert.deepEqual(parseManifest(about), about)
  })
  for (const [name, value] of WRONG) {
    it(`refuses ${name}`, () => assert.throws(() => parseManifest(value), { code: 'MANIFEST' }))
  }
})

describe('parseDescriptor()', () => {
  it('refuses a digest of another kind', () => {
    assert.throws(() => parseDescriptor({ ...config, digest: 'md5:00' }), { code: 'DIGEST' })
  })
})

describe('parseIndex()', () => {
  it('reads an index without media type, as older programs write it', () => {
    assert.equal(parseIndex({ schemaVersion: 2, manifests: [config] }).manifests.length, 1)
  })
})

describe('parseImageConfig()', () => {
  it('reads a config', () => {
    const image = {
      architecture: 'amd64',
      os: 'linux',
      config: { User: '65532:65532', Entrypoint: ['/node'], ExposedPorts: { '8501/tcp': {} } },
      rootfs: { type: 'layers', diff_ids: [digest] },
    }
    assert.deepEqual(parseImageConfig(image), image)
  })
  it('refuses one without rootfs', () => {
    assert.throws(() => parseImageConfig({ architecture: 'amd64', os: 'linux' }), { code: 'MANIFEST' })
  })
})
