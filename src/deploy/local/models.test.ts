import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { type Digest, parseVariantName } from '../../core/brands.ts'
import { type Descriptor, MEDIA_TYPES, type TarEntry, toTarFile, writeTar } from '../../oci/index.ts'
import type { VariantPlan } from '../index.ts'
import { extractModel, listUnusedModels, pruneModels } from './models.node.ts'
import { putImage, toModelFile } from './testing/image.ts'
import { openPlace } from './testing/place.ts'

const signal = (): AbortSignal => AbortSignal.timeout(60_000)
const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const toVariant = (digest: Digest, version = 1): VariantPlan => {
  return { id: 1, name: parseVariantName('a'), version, digest, replicas: 1 }
}

/** An archive with a header changed as no honest writer would; its checksum is right. */
async function writeChangedTar(entry: TarEntry, change: (header: Buffer) => void): Promise<Buffer> {
  const archive = Buffer.concat(await Array.fromAsync(writeTar([entry])))
  // Folders stand first: the header of the file is the last that names it.
  const header = archive.subarray(archive.lastIndexOf(entry.path), archive.lastIndexOf(entry.path) + 512)
  change(header)
  header.write(' '.repeat(8), 148, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return archive
}

/** Whether this process may mount a file system in a namespace of its own. */
const canMount =
  spawnSync('unshare', ['--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0

describe('extractModel()', async () => {
  const place = await openPlace()
  const { layout, folder } = place
  after(async () => await place[Symbol.asyncDispose]())
  const list = (): readonly string[] => readdirSync(join(folder, 'models')).sort()

  /** An image whose only layer holds exactly these bytes. */
  async function putLayer(bytes: Uint8Array, mediaType: string = MEDIA_TYPES.layer): Promise<[Digest, Descriptor]> {
    const layer = { ...(await layout.writeBlob(bytes, mediaType)), annotations: { 'dev.regatta.layer': 'model' } }
    const config = await layout.writeBlob(toBytes('{}'), MEDIA_TYPES.config)
    const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config, layers: [layer] } as const
    return [(await layout.putManifest(manifest)).digest, layer]
  }

  it('writes the files of all model layers, once', async () => {
    const data = toTarFile('models/forecast/1/model.onnx.data', toBytes('weights'))
    const digest = await putImage(layout, [toModelFile(1, 'a graph')], [data])
    const base = await extractModel(layout, folder, toVariant(digest), signal())
    assert.equal(readFileSync(join(base, '1', 'model.onnx'), 'utf8'), 'a graph')
    assert.equal(readFileSync(join(base, '1', 'model.onnx.data'), 'utf8'), 'weights')
    writeFileSync(join(base, '1', 'model.onnx'), 'marked')
    assert.equal(await extractModel(layout, folder, toVariant(digest), signal()), base)
    assert.equal(readFileSync(join(base, '1', 'model.onnx'), 'utf8'), 'marked')
  })

  it('leaves nothing of a layer whose content has changed', async () => {
    const before = list()
    const bytes = Buffer.concat(await Array.fromAsync(writeTar([toModelFile(1, 'the right content')])))
    const [digest, layer] = await putLayer(bytes)
    const path = join(layout.folder, 'blobs', 'sha256', layer.digest.slice('sha256:'.length))
    const at = bytes.indexOf('right')
    bytes.write('wrong', at)
    writeFileSync(path, bytes)
    const wanted = { code: 'TARGET_PLAN', message: new RegExp(layer.digest), fix: /Pack the version again/ }
    await assert.rejects(extractModel(layout, folder, toVariant(digest), signal()), wanted)
    assert.deepEqual(list(), before)
  })

  it('refuses images that are no model images, and leaves nothing of them', async () => {
    const before = list()
    const file = toModelFile(1)
    const climbing = await writeChangedTar(file, header => header.fill(0, 0, 100).write('../../../outside'))
    const absolute = await writeChangedTar(file, header => header.fill(0, 0, 100).write('/tmp/regatta-outside'))
    const link = await writeChangedTar(file, header => header.write('2', 156))
    const cut = Buffer.concat(await Array.fromAsync(writeTar([file]))).subarray(0, 2048 + 100)
    const other = toTarFile('models/forecast/2/model.onnx', toBytes('another'))
    const stray = toTarFile('etc/passwd', toBytes('root'))
    const cases: readonly [name: string, digest: Digest, message: RegExp][] = [
      ['a path that climbs', (await putLayer(climbing))[0], /Cannot use "\.\.\/\.\.\/\.\.\/outside" in an archive/],
      ['an absolute path', (await putLayer(absolute))[0], /expected a relative path/],
      ['a link', (await putLayer(link))[0], /model\.onnx/],
      ['an archive that was cut', (await putLayer(cut))[0], /archive/],
      ['no gzip', (await putLayer(toBytes('plain'), MEDIA_TYPES.layerGzip))[0], /its content is not gzip/],
      ['another compression', (await putLayer(cut, 'application/zstd'))[0], /found "application\/zstd"/],
      ['no model layer', await putImage(layout), /found 0/],
      ['two models', await putImage(layout, [file, other]), /found 2/],
      ['a file beside the model', await putImage(layout, [file, stray]), /found "etc\/passwd"/],
    ]
    for (const [name, digest, message] of cases)
      await assert.rejects(
        extractModel(layout, folder, toVariant(digest), signal()),
        { code: 'TARGET_PLAN', message },
        name,
      )
    assert.deepEqual(list(), before)
    assert.deepEqual(readdirSync(place.root).sort(), ['local', 'oci'])
  })

  it('ends with the signal and leaves nothing', async () => {
    const before = list()
    const digest = await putImage(layout, [toModelFile(1, 'never extracted')])
    await assert.rejects(extractModel(layout, folder, toVariant(digest), AbortSignal.abort()), { name: 'AbortError' })
    assert.deepEqual(list(), before)
  })

  it('says that the disk is full, leaves nothing half-written, and works once there is room', {
    skip: !canMount && 'needs a mount namespace of its own',
  }, async () => {
    const digest = await putImage(layout, [toModelFile(1, 'large'.repeat(200_000))])
    const full = join(place.root, 'full')
    await mkdir(full)
    const script = 'mount -t tmpfs -o size=256k tmpfs "$3" && "$0" "$4" "$1" "$2" "$3" && ls -R "$3"'
    const program = join(import.meta.dirname, 'testing', 'extract.ts')
    const parameters = ['sh', '-c', script, process.execPath, layout.folder, digest, full, program]
    const { stdout } = await promisify(execFile)('unshare', ['--map-root-user', '--mount', ...parameters])
    assert.match(stdout, /^\{"code":"DISK_FULL","message":"Cannot write/)
    assert.doesNotMatch(stdout.slice(stdout.indexOf('}')), /model\.onnx|part/)
    await extractModel(layout, full, toVariant(digest), signal())
  })
})

describe('pruneModels()', () => {
  it('removes all models but those of the images that are kept, and half extracted ones', async () => {
    await using place = await openPlace()
    const { layout, folder, digests } = place
    assert.deepEqual(await listUnusedModels(folder, []), [])
    const kept = await extractModel(layout, folder, toVariant(digests.a), signal())
    await extractModel(layout, folder, toVariant(digests.b, 2), signal())
    await mkdir(join(folder, 'models', '0123456789ab.part', '1'), { recursive: true })
    assert.equal((await listUnusedModels(folder, [digests.a])).length, 2)
    await pruneModels(folder, [digests.a])
    assert.deepEqual(
      readdirSync(join(folder, 'models')).map(name => join(folder, 'models', name)),
      [kept],
    )
  })
})
