import assert from 'node:assert/strict'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { collectGarbage, FROM, MEDIA_TYPES, openLayout, parseReference, pushImage } from '../../oci/index.ts'
import { toTestOptions } from '../../oci/registry/testing/image.ts'
import { openTestRegistry } from '../../oci/registry/testing/registry.ts'
import { toLinearModel } from '../../train/testing/onnx-model.ts'
import { NODE_SETTINGS, writeBase } from '../testing/base.ts'
import { type Bench, openBench } from '../testing/bench.ts'
import { listLayers, readConfig, readIndex } from '../testing/layer.ts'

const BASE_NAME = 'org.opencontainers.image.base.name'
const BASE_DIGEST = 'org.opencontainers.image.base.digest'

async function makeModel(bench: Bench): Promise<{ readonly kind: 'folder'; readonly folder: string }> {
  return { kind: 'folder', folder: await bench.makeFolder('m', { 'model.onnx': toLinearModel({ weight: 2 }) }) }
}

/** Bundles with native files for both processors. */
async function makeRuntime(bench: Bench): Promise<{ readonly runtimeFolder: string }> {
  const runtimeFolder = await bench.makeFolder('bundles', {
    'server.js': 'serve()\n',
    'native/linux/x64/binding.node': 'for amd64',
    'native/linux/arm64/binding.node': 'for arm64',
  })
  return { runtimeFolder }
}

describe('packImage() on an image of a layout', () => {
  it('has the runtime layer of every other base', async () => {
    await using bench = await openBench()
    await writeBase(await openLayout(join(bench.folder, 'base')), 'registry.example.com/node:24', ['amd64'])
    const [model, runtime] = [await makeModel(bench), await makeRuntime(bench)]
    const image = bench.withImage('{ base: "oci:base", platforms: [linux/amd64] }')
    const [onHost, onImage] = [await bench.pack(model, runtime), await bench.pack(model, { ...image, ...runtime })]
    const toRuntime = ({ layers }: typeof onHost) => layers.find(({ kind }) => kind === 'runtime')?.digest
    assert.equal(toRuntime(onImage), toRuntime(onHost))
    assert.notEqual(toRuntime(onHost), undefined)
  })

  it('puts its own layers above those of the base, and says what it stands on', async () => {
    await using bench = await openBench()
    const base = await openLayout(join(bench.folder, 'base'))
    const root = await writeBase(base, 'registry.example.com/node:24', ['amd64'])
    const image = bench.withImage('{ base: "oci:base", platforms: [linux/amd64] }')
    const packed = await bench.pack(await makeModel(bench), { ...image, ...(await makeRuntime(bench)) })
    assert.deepEqual(
      packed.layers.map(({ kind, reused }) => [kind, reused]),
      [
        ['base', true],
        ['base', true],
        ['runtime', false],
        ['app', false],
        ['model', false],
      ],
    )
    const { annotations, layers } = await bench.layout.readManifest(packed.digest)
    const ours = await readConfig(bench.layout, packed.digest)
    const theirs = await readConfig(base, root.digest)
    assert.deepEqual(ours.rootfs.diff_ids.slice(0, 2), theirs.rootfs.diff_ids)
    assert.deepEqual(
      [annotations?.[BASE_NAME], annotations?.[BASE_DIGEST]],
      ['registry.example.com/node:24', root.digest],
    )
    const files = await listLayers(bench.layout, layers)
    assert.equal(files.get('usr/bin/tool')?.text, 'amd64')
    assert.ok(files.has('models/forecast/1/model.onnx') && files.has('opt/regatta/server.js'))
    assert.match(files.get('usr/bin/tensorflow_model_server')?.text ?? '', /^#!\/usr\/bin\/env node\n/)
    assert.ok(!files.has('usr/local/bin/node'))
    assert.deepEqual(ours.config.Env, [
      'PATH=/opt/node/bin:/usr/bin',
      'NODE_ENV=production',
      'NODE_VERSION=24.1.0',
      'HOME=/tmp',
      'ORT_DISABLE_TELEMETRY=1',
    ])
    assert.deepEqual(ours.config.Entrypoint, ['node', '/opt/regatta/server.js'])
    assert.equal(ours.config.User, '65532:65532')
    assert.equal((await bench.layout.resolve('forecast:1'))?.annotations[FROM], undefined)
  })

  it('starts the Node that the base starts', async () => {
    await using bench = await openBench()
    const base = await openLayout(join(bench.folder, 'base'))
    await writeBase(base, 'node', ['amd64'], { ...NODE_SETTINGS, Entrypoint: ['/nodejs/bin/node'] })
    const image = bench.withImage('{ base: "oci:base", platforms: [linux/amd64] }')
    const packed = await bench.pack(await makeModel(bench), { ...image, ...(await makeRuntime(bench)) })
    const { config } = await readConfig(bench.layout, packed.digest)
    assert.equal(config.Entrypoint?.[0], '/nodejs/bin/node')
    const { annotations } = await bench.layout.readManifest(packed.digest)
    assert.deepEqual([annotations?.[BASE_NAME], config.Labels?.[BASE_NAME]], [undefined, undefined])
  })

  it('makes an index for two platforms, whose images share app and model', async () => {
    await using bench = await openBench()
    await writeBase(await openLayout(join(bench.folder, 'base')), 'node', ['amd64', 'arm64'])
    const image = bench.withImage('{ base: "oci:base", platforms: [linux/amd64, linux/arm64] }')
    const wish = { ...image, ...(await makeRuntime(bench)) }
    const packed = await bench.pack(await makeModel(bench), wish)
    assert.equal(packed.mediaType, MEDIA_TYPES.index)
    const images = await readIndex(bench.layout, packed.digest)
    assert.deepEqual([...images.keys()], ['amd64', 'arm64'])
    const [amd64, arm64] = await Promise.all([...images.values()].map(digest => bench.layout.readManifest(digest)))
    const digests = (manifest: typeof amd64) => manifest?.layers.map(({ digest }) => digest) ?? []
    assert.deepEqual(digests(amd64).slice(3), digests(arm64).slice(3))
    for (const [architecture, digest] of images) {
      const { layers } = await bench.layout.readManifest(digest)
      const config = await readConfig(bench.layout, digest)
      assert.equal(config.architecture, architecture)
      const files = await listLayers(bench.layout, layers)
      const natives = [...files].filter(([path]) => path.endsWith('.node')).map(([, { text }]) => text)
      assert.deepEqual([natives, files.get('usr/bin/tool')?.text], [[`for ${architecture}`], architecture])
    }
    const again = await bench.pack(await makeModel(bench), wish)
    assert.deepEqual(again, { ...packed, layers: packed.layers.map(layer => ({ ...layer, reused: true })) })
    assert.deepEqual(
      packed.layers.map(({ kind, platform }) => [kind, platform]),
      [
        ...['linux/amd64', 'linux/arm64'].flatMap(name => ['base', 'base', 'runtime'].map(kind => [kind, name])),
        ['app', null],
        ['model', null],
      ],
    )
    assert.deepEqual(await collectGarbage(bench.layout, { dryRun: false, graceMs: 0 }), { digests: [], bytes: 0 })
  })

  it('copies all of an index into another layout', async () => {
    await using bench = await openBench()
    await writeBase(await openLayout(join(bench.folder, 'base')), 'node', ['amd64', 'arm64'])
    const image = bench.withImage('{ base: "oci:base:node", platforms: [linux/arm64, linux/amd64] }')
    const output = join(bench.folder, 'out')
    const packed = await bench.pack(await makeModel(bench), { ...image, ...(await makeRuntime(bench)), output })
    const layout = await openLayout(output)
    for (const digest of (await readIndex(layout, packed.digest)).values()) {
      const { config, layers } = await layout.readManifest(digest)
      for (const blob of [config, ...layers]) assert.ok(await layout.readBlob(blob.digest))
    }
  })

  it('makes a new version where the base is another, and mends a base layer that was lost', async () => {
    await using bench = await openBench()
    const base = await openLayout(join(bench.folder, 'base'))
    await writeBase(base, 'node', ['amd64'])
    const wish = {
      ...bench.withImage('{ base: "oci:base:node", platforms: [linux/amd64] }'),
      ...(await makeRuntime(bench)),
    }
    const source = await makeModel(bench)
    const first = await bench.pack(source, wish)
    const [lost] = first.layers
    await rm(join(bench.layout.folder, 'blobs', ...(lost?.digest.split(':') ?? [])))
    assert.equal((await bench.pack(source, wish)).digest, first.digest)
    assert.ok(lost && (await bench.layout.readBlob(lost.digest)))
    await writeBase(base, 'node', ['amd64'], { Env: ['NEWER=1'] })
    assert.equal((await bench.pack(source, wish)).version, 2)
  })

  it('refuses a base that is not there, is not one, or is for another platform', async () => {
    await using bench = await openBench()
    const source = await makeModel(bench)
    const refuse = async (image: string, wanted: object): Promise<void> => {
      await assert.rejects(bench.pack(source, { ...bench.withImage(image), ...(await makeRuntime(bench)) }), wanted)
      assert.deepEqual(await bench.layout.list(), [])
    }
    await refuse('{ base: "oci:nowhere" }', { code: 'BASE_MISSING', message: /nowhere/ })
    const base = await openLayout(join(bench.folder, 'base'))
    await refuse('{ base: "oci:base" }', { code: 'BASE_NAME', message: /found 0/ })
    await writeBase(base, 'one', ['amd64'])
    await refuse('{ base: "oci:base", platforms: [linux/arm64] }', {
      code: 'BASE_PLATFORM',
      message: /expected linux\/arm64, found linux\/amd64/,
    })
    await refuse('{ base: "oci:base:two" }', { code: 'BASE_NAME', fix: 'Write one of oci:FOLDER:one' })
    await writeBase(base, 'two', ['amd64', 'arm64'])
    await refuse('{ base: "oci:base" }', { code: 'BASE_NAME', message: /found 2/ })
    const foreign = process.arch === 'arm64' ? 'amd64' : 'arm64'
    await refuse(`{ base: host, platforms: [linux/${foreign}] }`, {
      code: 'BASE_PLATFORM',
      message: new RegExp(`Cannot pack for linux/${foreign}: image.base is host`),
    })
    await refuse('{ base: "UPPER/case:1" }', { code: 'REFERENCE', message: /lower-case/ })
  })
})

describe('packImage() on an image of a registry', () => {
  it('names its layers and never fetches them; a push has them mounted', async () => {
    await using bench = await openBench()
    await using registry = await openTestRegistry()
    const options = toTestOptions(bench.folder)
    const base = await openLayout(join(bench.folder, 'base'))
    const root = await writeBase(base, 'node', ['amd64', 'arm64'])
    const signal = AbortSignal.timeout(20_000)
    const reference = `${registry.host}/library/node:24`
    await pushImage(base, root.digest, parseReference(reference), options, signal)
    registry.seen.length = 0

    const image = bench.withImage(`{ base: "${reference}", platforms: [linux/amd64, linux/arm64] }`)
    const wish = { ...image, ...(await makeRuntime(bench)), registry: options }
    const packed = await bench.pack(await makeModel(bench), wish)
    const bases = packed.layers.filter(({ kind }) => kind === 'base')
    for (const { digest } of bases) {
      assert.equal(await bench.layout.hasBlob(digest), false)
      assert.ok(!registry.seen.some(({ path }) => path.endsWith(digest)), digest)
    }
    const entry = await bench.layout.resolve('forecast:1')
    assert.equal(entry?.annotations[FROM], `${registry.host}/library/node`)
    assert.equal(entry?.annotations[BASE_NAME], reference)
    assert.equal(entry?.annotations[BASE_DIGEST], root.digest)

    registry.seen.length = 0
    assert.equal((await bench.pack(await makeModel(bench), wish)).digest, packed.digest)
    // What a digest names is read once.
    assert.deepEqual(
      registry.seen.map(({ path }) => path),
      ['/v2/', '/v2/library/node/manifests/24'],
    )

    registry.seen.length = 0
    await pushImage(bench.layout, packed.digest, parseReference(`${registry.host}/team/forecast:1`), options, signal)
    const seen = registry.seen.map(({ method, path }) => ({ method, query: new URL(path, registry.url).searchParams }))
    for (const { digest } of bases) {
      assert.ok(
        seen.some(({ query }) => query.get('mount') === digest),
        `${digest} is mounted`,
      )
      assert.ok(!seen.some(({ method, query }) => method === 'PUT' && query.get('digest') === digest), digest)
    }
  })

  it('gives the digest that the same base in a layout of that name gives', async () => {
    await using bench = await openBench()
    await using registry = await openTestRegistry()
    const options = toTestOptions(bench.folder)
    const reference = `${registry.host}/library/node:24`
    const base = await openLayout(join(bench.folder, 'base'))
    const root = await writeBase(base, reference, ['amd64'])
    await pushImage(base, root.digest, parseReference(reference), options, AbortSignal.timeout(20_000))
    const pack = async (layout: string, from: string) => {
      const image = bench.withImage(`{ base: "${from}", platforms: [linux/amd64] }`)
      const wish = { ...image, ...(await makeRuntime(bench)), registry: options }
      return await bench.pack(await makeModel(bench), { ...wish, layout: await openLayout(join(bench.folder, layout)) })
    }
    assert.equal((await pack('one', reference)).digest, (await pack('two', 'oci:base')).digest)
  })

  it('reads again what it remembers wrongly', async () => {
    await using bench = await openBench()
    await using registry = await openTestRegistry()
    const options = toTestOptions(bench.folder)
    const reference = `${registry.host}/library/node:24`
    const base = await openLayout(join(bench.folder, 'base'))
    const root = await writeBase(base, reference, ['amd64'])
    await pushImage(base, root.digest, parseReference(reference), options, AbortSignal.timeout(20_000))
    const image = bench.withImage(`{ base: "${reference}", platforms: [linux/amd64] }`)
    const wish = { ...image, ...(await makeRuntime(bench)), registry: options }
    const packed = await bench.pack(await makeModel(bench), wish)
    const remembered = await readdir(join(bench.folder, '.regatta', 'cache', 'base'))
    assert.ok(remembered.length > 0)
    for (const name of remembered) await writeFile(join(bench.folder, '.regatta', 'cache', 'base', name), '{}')
    assert.equal((await bench.pack(await makeModel(bench), wish)).digest, packed.digest)
  })

  it('says what the registry does not have', async () => {
    await using bench = await openBench()
    await using registry = await openTestRegistry()
    const image = bench.withImage(`{ base: "${registry.host}/library/node:24", platforms: [linux/amd64] }`)
    const wish = { ...image, ...(await makeRuntime(bench)), registry: toTestOptions(bench.folder) }
    await assert.rejects(bench.pack(await makeModel(bench), wish), { code: 'REGISTRY_MISSING', message: /node/ })
  })
})
