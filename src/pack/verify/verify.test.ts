import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import type { Digest } from '../../core/brands.ts'
import { toCanonicalJson } from '../../core/json.ts'
import {
  type Descriptor,
  FROM,
  gzip,
  type ImageConfig,
  type Manifest,
  MEDIA_TYPES,
  openLayout,
  toDigest,
  toTarFile,
  writeTar,
} from '../../oci/index.ts'
import { toLinearModel } from '../../train/testing/onnx-model.ts'
import { writeLineage } from '../describe/attach.ts'
import { toLayerText } from '../layer/layer.ts'
import { type Bench, openBench } from '../testing/bench.ts'
import { toLayoutPlace } from './place.ts'
import { type VerifiedImage, verifyImage } from './verify.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const { signal } = new AbortController()

describe('verifyImage()', () => {
  let bench: Bench
  let image: Descriptor
  let manifest: Manifest
  let config: ImageConfig

  before(async () => {
    bench = await openBench()
    const run = await bench.train(2)
    const { digest } = await bench.pack({ kind: 'run', run })
    const entry = await bench.layout.resolve(digest)
    assert.ok(entry)
    image = { mediaType: entry.mediaType, digest, size: entry.size }
    manifest = await bench.layout.readManifest(digest)
    config = JSON.parse(Buffer.from(await bench.layout.readBlob(manifest.config.digest)).toString())
  })
  after(async () => {
    await bench[Symbol.asyncDispose]()
  })

  const toPath = (digest: Digest): string => join(bench.layout.folder, 'blobs', 'sha256', digest.slice(7))
  const verify = async (root: Descriptor): Promise<VerifiedImage> =>
    await verifyImage(toLayoutPlace(bench.layout, root.digest), root, signal)
  const toCodes = ({ problems }: VerifiedImage) => problems.map(({ code, culprit }) => [code, culprit])
  const find = (kind: string): Descriptor => {
    const found = manifest.layers.find(({ annotations }) => annotations?.['dev.regatta.layer'] === kind)
    assert.ok(found)
    return found
  }

  /** Writes a manifest as it is, with all that is wrong with it. */
  async function write(value: unknown, mediaType: string = MEDIA_TYPES.manifest): Promise<Descriptor> {
    return await bench.layout.writeBlob(encode(toCanonicalJson(value)), mediaType)
  }

  /** The image with another config. */
  async function withConfig(change: object): Promise<Descriptor> {
    return await write({ ...manifest, config: await write({ ...config, ...change }, MEDIA_TYPES.config) })
  }

  /** Runs with a blob's file replaced, or deleted, and puts it back. */
  async function withBlob(digest: Digest, content: Uint8Array | undefined): Promise<VerifiedImage> {
    const path = toPath(digest)
    const old = await readFile(path)
    try {
      if (content === undefined) await rm(path)
      else await writeFile(path, content)
      return await verify(image)
    } finally {
      await writeFile(path, old)
    }
  }

  /** An image of one layer, as others make them. */
  async function makeForeign(layer: AsyncIterable<Uint8Array>, mediaType: string, diffId: Digest): Promise<Descriptor> {
    const blob = await bench.layout.writeBlob(layer, mediaType)
    const rootfs = { type: 'layers', diff_ids: [diffId] }
    const foreign = await write(
      { architecture: 'arm64', os: 'linux', config: { User: 'app' }, rootfs },
      MEDIA_TYPES.config,
    )
    return await write({ schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config: foreign, layers: [blob] })
  }
  async function* pieces(...chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
    yield* chunks
  }

  it('finds nothing wrong with an image as it was packed, and tells where it comes from', async () => {
    const found = await verify(image)
    assert.deepEqual(found.problems, [])
    assert.equal(found.annotations['dev.regatta.version'], '1')
    assert.equal(found.run?.digest, manifest.annotations?.['dev.regatta.run'])
    assert.equal(found.run?.record?.state, 'done')
    assert.deepEqual(
      found.about.map(({ type }) => type),
      ['application/spdx+json', 'application/vnd.regatta.run.v1+json'],
    )
    const [platform] = found.platforms
    assert.equal(platform?.config?.config.User, '65532:65532')
    assert.deepEqual(
      platform?.layers.map(({ digest, kind, sizeBytes }) => [digest, kind, sizeBytes]),
      manifest.layers.map(({ annotations, digest, size }) => [digest, annotations?.['dev.regatta.layer'], size]),
    )
    const paths = platform?.sbom?.packages.map(({ path }) => path) ?? []
    assert.ok(paths.includes('/opt/regatta/server.js') && paths.includes('/models/forecast/1/model.onnx'))
    assert.ok(paths.some(path => path?.endsWith('/libc.so.6')))
  })

  it('names a blob that was changed, whichever byte of whichever blob', async () => {
    const { about } = await verify(image)
    const inner = await Promise.all(about.map(({ digest }) => bench.layout.readManifest(digest)))
    const blobs = [image, manifest.config, ...manifest.layers, ...inner.flatMap(({ layers }) => layers)]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...blobs),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (blob, at, flip) => {
          const content = await readFile(toPath(blob.digest))
          const index = at % content.length
          content.writeUInt8((content[index] ?? 0) ^ flip, index)
          const codes = toCodes(await withBlob(blob.digest, content))
          assert.ok(codes.some(([code, culprit]) => code === 'BLOB_DIGEST' && culprit === blob.digest))
          assert.ok(codes.every(([code]) => code === 'BLOB_DIGEST'))
        },
      ),
      { numRuns: 20 },
    )
  })

  for (const kind of ['base', 'model']) {
    it(`names a ${kind} layer that is missing, cut short or longer`, async () => {
      const { digest } = find(kind)
      const content = await readFile(toPath(digest))
      assert.deepEqual(toCodes(await withBlob(digest, undefined)), [['BLOB_MISSING', digest]])
      assert.deepEqual(toCodes(await withBlob(digest, content.subarray(0, -20))), [['BLOB_DIGEST', digest]])
      assert.deepEqual(toCodes(await withBlob(digest, Buffer.concat([content, encode('more')]))), [
        ['BLOB_DIGEST', digest],
      ])
    })
  }

  it('names a config and a manifest that are missing', async () => {
    const { digest } = manifest.config
    assert.deepEqual(toCodes(await withBlob(digest, undefined)), [['BLOB_MISSING', digest]])
    const codes = toCodes(await withBlob(image.digest, undefined))
    assert.ok(codes.length > 0)
    for (const code of codes) assert.deepEqual(code, ['BLOB_MISSING', image.digest])
  })

  it('names the layer whose archive is another than the config lists', async () => {
    const [base, runtime, ...rest] = config.rootfs.diff_ids
    const found = await verify(await withConfig({ rootfs: { type: 'layers', diff_ids: [runtime, base, ...rest] } }))
    assert.deepEqual(toCodes(found), [
      ['DIFF_ID', manifest.layers[0]?.digest],
      ['DIFF_ID', manifest.layers[1]?.digest],
    ])
  })

  it('names the blob whose length is another than the manifest says', async () => {
    const layers = manifest.layers.map((layer, index) => (index === 2 ? { ...layer, size: layer.size + 1 } : layer))
    const found = await verify(await write({ ...manifest, layers }))
    assert.deepEqual(toCodes(found), [['BLOB_SIZE', manifest.layers[2]?.digest]])
    const larger = await verify({ ...image, size: image.size + 1 })
    assert.deepEqual(toCodes(larger), [['BLOB_SIZE', image.digest]])
  })

  const CONFIGS = [
    ['too few diff_ids', { rootfs: { type: 'layers', diff_ids: [] } }, /expected 4 diff_ids/],
    ['another type of rootfs', { rootfs: { type: 'layer', diff_ids: [] } }, /"layers"/],
    ['a processor in words of its own', { architecture: 'x86_64' }, /platform, found linux\/x86_64/],
    ['a variable twice', { config: { Env: ['A=1', 'B=2', 'A=3'] } }, /A twice/],
    ['no labels', { config: {} }, /same dev.regatta.version/],
    [
      'too little history',
      { history: [{ created_by: 'x' }, { empty_layer: true }] },
      /expected 4 entries of history, found 1/,
    ],
    ['no date', { created: 'yesterday' }, /found "yesterday"/],
  ] as const
  for (const [name, change, wanted] of CONFIGS) {
    it(`finds a config with ${name}`, async () => {
      const { problems } = await verify(await withConfig(change))
      assert.ok(
        problems.some(({ code, what }) => code === 'CONFIG_RULE' && wanted.test(what)),
        JSON.stringify(problems),
      )
    })
  }

  it('finds what the rules for manifests forbid', async () => {
    const { mediaType: _, ...bare } = manifest
    const base = { 'org.opencontainers.image.base.name': 'node:24' }
    const found = await verify(await write({ ...bare, annotations: { ...manifest.annotations, ...base } }))
    assert.deepEqual(
      found.problems.map(({ code }) => code),
      ['MANIFEST_RULE', 'MANIFEST_RULE'],
    )
    const empty = await verify(await write({ ...manifest, layers: [] }))
    assert.ok(empty.problems.some(({ what }) => /at least one layer/.test(what)))
    const other = await verify(await bench.layout.writeBlob(encode('<html>'), MEDIA_TYPES.manifest))
    assert.ok(other.problems.some(({ code }) => code === 'MANIFEST'))
  })

  it('takes an image of others for what it is: right, and of no run', async () => {
    const archive: Uint8Array[] = []
    for await (const chunk of writeTar([toTarFile('app/main', encode('x'))])) archive.push(chunk)
    const diffId = toDigest(Buffer.concat(archive))
    for (const [layer, mediaType] of [
      [gzip(pieces(...archive)), MEDIA_TYPES.layerGzip],
      [pieces(...archive), MEDIA_TYPES.layer],
    ] as const) {
      const found = await verify(await makeForeign(layer, mediaType, diffId))
      assert.deepEqual([found.problems, found.run, found.about], [[], undefined, []])
      assert.equal(found.platforms[0]?.sbom, undefined)
      assert.equal(found.platforms[0]?.layers[0]?.kind, undefined)
    }
  })

  it('finds layers that are no archives, of no known kind, or with a path twice', async () => {
    const text = encode('no archive')
    const plain = await verify(await makeForeign(pieces(text), MEDIA_TYPES.layerGzip, toDigest(text)))
    const packed = await verify(await makeForeign(gzip(pieces(text)), MEDIA_TYPES.layerGzip, toDigest(text)))
    const odd = await verify(await makeForeign(pieces(text), 'application/x-odd', toDigest(text)))
    assert.deepEqual(
      [plain, packed, odd].map(({ problems }) => problems.map(({ code }) => code)),
      [['LAYER_FORMAT'], ['LAYER_FORMAT'], ['LAYER_TYPE']],
    )
    const once: Uint8Array[] = []
    for await (const chunk of writeTar([toTarFile('a', encode('x'))])) once.push(chunk)
    const entry = Buffer.concat(once).subarray(0, 1024)
    const twice = Buffer.concat([entry, entry, Buffer.alloc(1024)])
    const found = await verify(await makeForeign(pieces(twice), MEDIA_TYPES.layer, toDigest(twice)))
    assert.deepEqual(
      found.problems.map(({ code, what }) => [code, what]),
      [['LAYER_RULE', 'expected each path once, found "a" twice']],
    )
  })

  it('finds a model that is not what the run left, and a run whose record is not here', async () => {
    const other = await bench.train(3)
    const named = (run: Digest) => ({ ...manifest.annotations, 'dev.regatta.run': run })
    const config = (run: Digest) => ({ config: { Labels: named(run) } })
    const swapped = await withConfig(config(other.digest))
    const wrong = await verify(
      await write({ ...(await bench.layout.readManifest(swapped.digest)), annotations: named(other.digest) }),
    )
    assert.deepEqual(
      wrong.problems.map(({ code, what }) => [code, /model.onnx/.test(what)]),
      [['RUN_MODEL', true]],
    )
    const none = toDigest(encode('no run'))
    const lost = await withConfig(config(none))
    const found = await verify(
      await write({ ...(await bench.layout.readManifest(lost.digest)), annotations: named(none) }),
    )
    assert.deepEqual([found.problems, found.run], [[], { digest: none, record: null }])
  })

  it('finds a bill of materials that lists what is not in the image', async () => {
    const folder = await bench.makeFolder('sbom', { 'model.onnx': toLinearModel({ weight: 9 }) })
    const { digest } = await bench.pack({ kind: 'folder', folder })
    const entry = await bench.layout.resolve(digest)
    assert.ok(entry)
    const described = {
      model: 'forecast',
      version: 2,
      run: null,
      createdAt: 0,
      versions: { regatta: '1', node: undefined },
    }
    const entries = [toLayerText('opt/regatta/server.js', 'another'), toLayerText('opt/regatta/none.js', 'x')]
    await bench.layout.enterAll(
      await writeLineage(bench.layout, { ...described, image: entry, layers: [{ kind: 'runtime', entries }] }),
    )
    const { problems } = await verify(entry)
    assert.deepEqual(
      problems.map(({ code, what }) => [code, /"(.*?)"/.exec(what)?.[1]]),
      [
        ['SBOM', '/opt/regatta/none.js'],
        ['SBOM', '/opt/regatta/server.js'],
      ],
    )
  })

  it('verifies every image of an index, and that it is for the platform that the index says', async () => {
    const entry = { ...image, platform: { os: 'linux', architecture: config.architecture } }
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, annotations: manifest.annotations }
    const right = await verify(await write({ ...index, manifests: [entry] }, MEDIA_TYPES.index))
    assert.deepEqual([right.problems, right.platforms.length, right.run?.record?.state], [[], 1, 'done'])
    const wrong = { ...image, platform: { os: 'linux', architecture: 's390x' } }
    const found = await verify(await write({ ...index, manifests: [wrong] }, MEDIA_TYPES.index))
    assert.deepEqual(toCodes(found), [['INDEX_RULE', image.digest]])
    const bare = await write({ ...index, manifests: [image] }, MEDIA_TYPES.index)
    assert.deepEqual(toCodes(await verify(bare)), [['INDEX_RULE', bare.digest]])
    const none = await write({ ...index, manifests: [] }, MEDIA_TYPES.index)
    assert.deepEqual(toCodes(await verify(none)), [['INDEX_RULE', none.digest]])
  })

  it('passes over layers that were never meant to be here', async () => {
    const layout = await openLayout(join(bench.folder, 'thin'))
    for (const { digest, mediaType } of [manifest.config, ...manifest.layers.slice(1)]) {
      await layout.writeBlob(bench.layout.openBlob(digest), mediaType)
    }
    const annotations = { [FROM]: 'registry.example.com/node' }
    const root = await layout.putManifest(manifest, { annotations })
    const found = await verifyImage(toLayoutPlace(layout, root.digest), root, signal)
    assert.deepEqual(found.problems, [])
    assert.deepEqual(
      found.platforms[0]?.layers.map(({ elsewhere }) => elsewhere),
      ['registry.example.com/node', undefined, undefined, undefined],
    )
  })

  it("ends with the signal's reason", async () => {
    const reason = new Error('enough')
    await assert.rejects(
      verifyImage(toLayoutPlace(bench.layout, image.digest), image, AbortSignal.abort(reason)),
      error => error === reason,
    )
  })
})
