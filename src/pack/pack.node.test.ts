import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'
import { collectGarbage, openLayout, parseImageConfig, readTar } from '../oci/index.ts'
import { readRunByDigest } from '../train/index.ts'
import { toLinearModel } from '../train/testing/onnx-model.ts'
import { listVersions, type PackedImage, prebuildRuntime } from './index.ts'
import { type Bench, openBench, SMALL_PROGRAM } from './testing/bench.ts'
import { readLayer } from './testing/layer.ts'

const model = toLinearModel({ weight: 2 })
const run = promisify(execFile)

/** Packs a folder in another process, which a shell's words come before. */
async function packApart(bench: Bench, folder: string, shell = ''): Promise<PackedImage> {
  const { cacheFolder, layout, runtimeFolder } = bench.toRequest({ kind: 'folder', folder })
  const script = join(import.meta.dirname, 'testing', 'pack-folder.ts')
  const args = [script, layout.folder, cacheFolder, runtimeFolder, SMALL_PROGRAM, folder]
  const { stdout } = await run('/bin/sh', [
    '-c',
    `${shell === '' ? 'exec' : shell} "$0" "$@"`,
    process.execPath,
    ...args,
  ])
  return JSON.parse(stdout)
}

describe('packImage()', () => {
  it('makes an image of a run that says where it came from', async () => {
    await using bench = await openBench()
    const trained = await bench.train(2)
    const packed = await bench.pack({ kind: 'run', run: trained })
    assert.deepEqual([packed.version, packed.reference, packed.run], [1, 'forecast:1', trained.digest])
    assert.deepEqual(
      packed.layers.map(({ kind, reused }) => [kind, reused]),
      ['base', 'runtime', 'app', 'model'].map(kind => [kind, false]),
    )
    const { annotations, config, layers } = await bench.layout.readManifest(packed.digest)
    assert.deepEqual(
      layers.map(({ annotations, digest, size }) => [annotations?.['dev.regatta.layer'], digest, size]),
      packed.layers.map(({ digest, kind, sizeBytes }) => [kind, digest, sizeBytes]),
    )
    assert.equal(annotations?.['dev.regatta.version'], '1')
    assert.equal(annotations?.['dev.regatta.model'], 'forecast')
    assert.equal((await bench.layout.resolve('forecast:1'))?.digest, packed.digest)
    assert.deepEqual((await bench.layout.resolve('forecast:1'))?.platform?.os, 'linux')
    const { digest } = await readRunByDigest(bench.layout, trained.digest)
    assert.equal(annotations?.['dev.regatta.run'], digest)
    const image = parseImageConfig(JSON.parse(Buffer.from(await bench.layout.readBlob(config.digest)).toString()))
    assert.equal(image.config.User, '65532:65532')
    assert.ok(image.config.Env?.includes('ORT_DISABLE_TELEMETRY=1'))
    assert.equal(image.created, new Date(trained.record.endedAt).toISOString())
    assert.equal(image.rootfs.diff_ids.length, 4)
  })

  it('lists in its config the digests of the archives within the layers', async () => {
    await using bench = await openBench()
    const packed = await bench.pack({ kind: 'folder', folder: await bench.makeFolder('m', { 'model.onnx': model }) })
    const { config } = await bench.layout.readManifest(packed.digest)
    const image = parseImageConfig(JSON.parse(Buffer.from(await bench.layout.readBlob(config.digest)).toString()))
    const layers = await Promise.all(packed.layers.map(({ digest }) => readLayer(bench.layout, digest)))
    assert.deepEqual(
      layers.map(({ diffId }) => diffId),
      image.rootfs.diff_ids,
    )
  })

  it('puts the files where a server looks for them, and nothing of this machine', async () => {
    await using bench = await openBench()
    const folder = await bench.makeFolder('m', { 'model.onnx': model, 'labels/en.txt': 'yes\nno\n' })
    await chmod(join(folder, 'model.onnx'), 0o600)
    const { layers } = await bench.pack({ kind: 'folder', folder })
    const entries = new Map<string, string>()
    for (const { digest } of layers) {
      const { archive } = await readLayer(bench.layout, digest)
      assert.ok(!archive.includes(bench.folder))
      const chunks = (async function* () {
        yield archive
      })()
      for await (const { kind, mode, path } of readTar(chunks)) if (kind === 'file') entries.set(path, mode.toString(8))
    }
    const expected = {
      'etc/passwd': '644',
      'usr/local/bin/node': '755',
      'opt/regatta/server.js': '644',
      'usr/bin/tensorflow_model_server': '755',
      'opt/regatta/a/b.txt': '644',
      'opt/regatta/model.json': '644',
      'models/forecast/1/model.onnx': '644',
      'models/forecast/1/labels/en.txt': '644',
    }
    for (const [path, mode] of Object.entries(expected)) assert.equal(entries.get(path), mode, path)
    assert.ok([...entries.keys()].some(path => path.endsWith('/libc.so.6')))
  })

  it('gives the same version again for the same run, without making anything', async () => {
    await using bench = await openBench()
    const trained = await bench.train(2)
    const first = await bench.pack({ kind: 'run', run: trained })
    const second = await bench.pack({ kind: 'run', run: trained })
    assert.deepEqual(second, { ...first, layers: first.layers.map(layer => ({ ...layer, reused: true })) })
    assert.equal((await listVersions(bench.layout, 'forecast')).length, 1)
  })

  it('makes only app and model anew for the next run', async () => {
    await using bench = await openBench()
    const [a, b] = [await bench.train(2), await bench.train(3)]
    const first = await bench.pack({ kind: 'run', run: a })
    const second = await bench.pack({ kind: 'run', run: b })
    assert.equal(second.version, 2)
    assert.deepEqual(
      second.layers.map(({ kind, reused }) => [kind, reused]),
      [
        ['base', true],
        ['runtime', true],
        ['app', false],
        ['model', false],
      ],
    )
    assert.deepEqual(second.layers.slice(0, 2).map(toDigestOf), first.layers.slice(0, 2).map(toDigestOf))
    assert.deepEqual(
      (await listVersions(bench.layout, 'forecast')).map(({ digest, run, version }) => [version, digest, run]),
      [
        [1, first.digest, a.digest],
        [2, second.digest, b.digest],
      ],
    )
    assert.deepEqual(await listVersions(bench.layout, 'another'), [])
  })

  it('gives one digest in another folder, at another time, with another umask, time zone and language', async () => {
    await using one = await openBench()
    await using two = await openBench()
    // Turkish has ı before i, others after it.
    const names = ['a-b.txt', 'a/b.txt', 'Ä.txt', 'a.txt', 'i.txt', 'ı.txt']
    const files = { 'model.onnx': model, ...Object.fromEntries(names.map(name => [name, name])) }
    const folder = await one.makeFolder('one', files)
    const other = await two.makeFolder('quite/another', Object.fromEntries(Object.entries(files).reverse()))
    await utimes(join(other, 'model.onnx'), 1, 1)
    const first = await one.pack({ kind: 'folder', folder })
    const second = await packApart(two, other, 'umask 077; TZ=Asia/Tokyo LC_ALL=tr_TR.UTF-8 exec')
    assert.deepEqual(second, first)
  })

  it('gives one digest to another user, on one processor', async t => {
    if (process.getuid?.() !== 0) return t.skip('only root may become another user')
    await using one = await openBench()
    await using two = await openBench()
    const [folder, other] = await Promise.all(
      [one, two].map(bench => bench.makeFolder('m', { 'model.onnx': model, 'sub/b.bin': Buffer.alloc(100_000, 'b') })),
    )
    const first = await one.pack({ kind: 'folder', folder: folder ?? '' })
    await run('chown', ['-R', '12345:12345', two.folder])
    const user = 'exec setpriv --reuid=12345 --regid=12345 --clear-groups taskset -c 0'
    assert.deepEqual(await packApart(two, other ?? '', user), first)
  })

  it('gives different versions to processes that pack at once', async () => {
    await using bench = await openBench()
    const folders = await Promise.all(
      [1, 2, 3, 4].map(weight => bench.makeFolder(`m${weight}`, { 'model.onnx': toLinearModel({ weight }) })),
    )
    const packed = await Promise.all(
      folders.map((folder, i) => (i < 2 ? packApart(bench, folder) : bench.pack({ kind: 'folder', folder }))),
    )
    assert.deepEqual(packed.map(({ version }) => version).sort(), [1, 2, 3, 4])
    assert.equal((await listVersions(bench.layout, 'forecast')).length, 4)
  })

  it('makes a new version of the same run where the bundles are others', async () => {
    await using bench = await openBench()
    const source = { kind: 'folder', folder: await bench.makeFolder('m', { 'model.onnx': model }) } as const
    const runtimeFolder = await bench.makeFolder('newer', { 'server.js': 'serveBetter()\n' })
    await bench.pack(source)
    const second = await bench.pack(source, { runtimeFolder })
    assert.equal(second.version, 2)
    assert.deepEqual(
      second.layers.map(({ reused }) => reused),
      [true, false, false, false],
    )
    assert.equal((await bench.pack(source)).version, 1)
  })

  it('mends a version whose blobs were lost', async () => {
    await using bench = await openBench()
    const folder = await bench.makeFolder('m', { 'model.onnx': model })
    const first = await bench.pack({ kind: 'folder', folder })
    const blobs = join(bench.layout.folder, 'blobs', 'sha256')
    for (const name of await readdir(blobs)) await rm(join(blobs, name))
    const second = await bench.pack({ kind: 'folder', folder })
    assert.deepEqual(second, first)
  })

  it('finds blobs that were damaged, names them, and makes them again', async () => {
    await using bench = await openBench()
    const source = { kind: 'folder', folder: await bench.makeFolder('m', { 'model.onnx': model }) } as const
    const first = await bench.pack(source)
    const { config } = await bench.layout.readManifest(first.digest)
    for (const digest of [...first.layers.map(toDigestOf), config.digest, first.digest]) {
      const path = join(bench.layout.folder, 'blobs', 'sha256', digest.slice('sha256:'.length))
      const content = await readFile(path)
      // Cut off, which its length shows; changed within, which only reading shows.
      await writeFile(path, content.subarray(1))
      const mended = await bench.pack(source)
      assert.deepEqual([mended.digest, mended.repaired], [first.digest, [digest]])
      content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1
      await writeFile(path, content)
      const read = await bench.pack(source, { verify: true })
      assert.deepEqual([read.digest, read.repaired], [first.digest, [digest]])
      assert.deepEqual((await bench.pack(source, { verify: true })).repaired, [])
    }
  })

  it('copies the runtime layer that was made before, which is the one that it makes where that is damaged', async () => {
    await using bench = await openBench()
    await using other = await openBench()
    const source = { kind: 'folder', folder: await bench.makeFolder('m', { 'model.onnx': model }) } as const
    const prebuiltFolder = join(bench.folder, 'prebuilt')
    await prebuildRuntime(bench.toRequest(source).runtimeFolder, prebuiltFolder, new AbortController().signal)
    assert.deepEqual((await readdir(prebuiltFolder)).sort(), ['blobs', 'index.json', 'layers', 'oci-layout'])
    const made = await other.pack(source)
    assert.deepEqual(await bench.pack(source, { prebuiltFolder }), made)
    await using third = await openBench()
    const blobs = join(prebuiltFolder, 'blobs', 'sha256')
    for (const name of await readdir(blobs)) await writeFile(join(blobs, name), 'changed')
    assert.deepEqual(await third.pack(source, { prebuiltFolder }), made)
  })

  it('gives a large file a layer of its own, and the small ones one together', async () => {
    await using bench = await openBench()
    const files = { 'model.onnx': model, 'labels.txt': 'a\nb\n', 'weights.bin': Buffer.alloc(64 * 1024 * 1024, 'w') }
    const source = { kind: 'folder', folder: await bench.makeFolder('m', files) } as const
    const first = await bench.pack(source)
    const models = first.layers.filter(({ kind }) => kind === 'model')
    assert.deepEqual(
      models.map(({ content }) => content?.files),
      [1, 2],
    )
    const { config } = await bench.layout.readManifest(first.digest)
    const image = parseImageConfig(JSON.parse(Buffer.from(await bench.layout.readBlob(config.digest)).toString()))
    // 64 MiB and the framing of a gzip that compresses nothing.
    const [large] = models
    assert.ok(large !== undefined && large.sizeBytes > 64 * 1024 * 1024 && large.sizeBytes < 64.1 * 1024 * 1024)
    const hash = createHash('sha256')
    await pipeline(bench.layout.openBlob(large.digest), createGunzip(), hash)
    assert.equal(`sha256:${hash.digest('hex')}`, image.rootfs.diff_ids.at(-2))
  })

  it('wraps model layers as bare archives where that is wished, which is another image', async () => {
    await using bench = await openBench()
    const source = { kind: 'folder', folder: await bench.makeFolder('m', { 'model.onnx': model }) } as const
    const stored = await bench.pack(source)
    const none = await bench.pack(source, bench.withImage('{ modelCompression: none }'))
    assert.deepEqual([stored.version, none.version], [1, 2])
    const { config, layers } = await bench.layout.readManifest(none.digest)
    const bare = layers.at(-1) ?? assert.fail()
    assert.equal(bare.mediaType, 'application/vnd.oci.image.layer.v1.tar')
    const image = parseImageConfig(JSON.parse(Buffer.from(await bench.layout.readBlob(config.digest)).toString()))
    assert.equal(image.rootfs.diff_ids.at(-1), bare.digest)
    const archive = await bench.layout.readBlob(bare.digest)
    const read = readTar(
      (async function* () {
        yield archive
      })(),
    )
    for await (const { content, kind, path } of read) {
      if (kind === 'folder') continue
      assert.equal(path, 'models/forecast/2/model.onnx')
      assert.deepEqual(Buffer.concat(await Array.fromAsync(content)), Buffer.from(model))
    }
  })

  it('says it was created when SOURCE_DATE_EPOCH tells, and refuses what is no time', async () => {
    await using bench = await openBench()
    const source = { kind: 'folder', folder: await bench.makeFolder('m', { 'model.onnx': model }) } as const
    await bench.pack(source, { sourceDateEpoch: '1500000000' })
    const [version] = await listVersions(bench.layout, 'forecast')
    assert.equal(version?.createdAt, 1_500_000_000_000)
    await assert.rejects(bench.pack(source, { sourceDateEpoch: 'today' }), { code: 'SOURCE_DATE_EPOCH' })
  })

  it('copies the image alone into another layout, and never over another image', async () => {
    await using bench = await openBench()
    const output = join(bench.folder, 'shared')
    const trained = await bench.train(2)
    const packed = await bench.pack({ kind: 'run', run: trained }, { output })
    assert.deepEqual((await readdir(output)).sort(), ['blobs', 'index.json', 'oci-layout'])
    // Four layers, a config and a manifest.
    assert.equal((await readdir(join(output, 'blobs', 'sha256'))).length, 6)
    const layout = await openLayout(output)
    assert.deepEqual(
      (await layout.list()).map(({ digest, ref }) => [ref, digest]),
      [['forecast:1', packed.digest]],
    )
    assert.deepEqual(await listVersions(layout, 'forecast'), await listVersions(bench.layout, 'forecast'))
    for (const { digest } of packed.layers) await readLayer(layout, digest)
    await using other = await openBench()
    const run = await other.train(3)
    await assert.rejects(other.pack({ kind: 'run', run }, { output }), { code: 'VERSION_TAKEN' })
    assert.equal((await layout.resolve('forecast:1'))?.digest, packed.digest)
  })

  it('keeps what garbage collection may not take', async () => {
    await using bench = await openBench()
    const packed = await bench.pack({ kind: 'run', run: await bench.train(2) }, {})
    assert.deepEqual(await collectGarbage(bench.layout, { dryRun: false, graceMs: 0 }), { digests: [], bytes: 0 })
    await bench.layout.remove(packed.digest)
    const freed = await collectGarbage(bench.layout, { dryRun: false, graceMs: 0 })
    // Four layers, a config and a manifest, and what is about it: a bill of materials and its manifest, and one more
    // manifest of the run's record. The record itself stays.
    assert.equal(freed.digests.length, 9)
  })
})

const toDigestOf = ({ digest }: { readonly digest: string }): string => digest
