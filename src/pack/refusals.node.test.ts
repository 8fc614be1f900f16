import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { chmod, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { takeFileLock } from '../core/lock.node.ts'
import { openLayout } from '../oci/index.ts'
import { toLinearModel } from '../train/testing/onnx-model.ts'
import { listVersions } from './index.ts'
import { type Bench, openBench } from './testing/bench.ts'
import { readLayer } from './testing/layer.ts'

const model = toLinearModel({ weight: 2 })
const run = promisify(execFile)

describe('packImage() refuses', () => {
  /** Packs what must not be packed, and checks that nothing came of it. */
  async function refuse(bench: Bench, packing: Promise<unknown>, wanted: object): Promise<void> {
    await assert.rejects(packing, wanted)
    assert.deepEqual(await listVersions(bench.layout, 'forecast'), [])
    assert.deepEqual(await readdir(join(bench.layout.folder, 'ingest')).catch(() => []), [])
  }
  const inFolder = async (bench: Bench, files: Readonly<Record<string, string | Uint8Array>>) =>
    ({ kind: 'folder', folder: await bench.makeFolder('m', files) }) as const

  it('a folder that is not there, is empty, or has no model', async () => {
    await using bench = await openBench()
    const absent = { kind: 'folder', folder: join(bench.folder, 'absent') } as const
    await refuse(bench, bench.pack(absent), { code: 'PACK_NO_MODEL', message: /no such folder/ })
    const empty = await inFolder(bench, {})
    await refuse(bench, bench.pack(empty), { code: 'PACK_NO_MODEL', message: /an empty folder/ })
    const other = await inFolder(bench, { 'model.pt': 'x' })
    await refuse(bench, bench.pack(other), { code: 'PACK_NO_MODEL', message: /found model\.pt/ })
  })

  it('a folder of versions, and one that holds a second model', async () => {
    await using bench = await openBench()
    const versions = await inFolder(bench, { '3/model.onnx': model })
    await refuse(bench, bench.pack(versions), { code: 'PACK_NO_MODEL', fix: /\/m\/3$/ })
    const both = await inFolder(bench, { 'model.onnx': model })
    await refuse(bench, bench.pack(both), { code: 'PACK_MODEL', message: /3\/model\.onnx/ })
  })

  it('what is not ONNX, and names the file', async () => {
    await using bench = await openBench()
    for (const content of ['', 'PK\x03\x04 torch', model.subarray(0, 50)]) {
      const source = await inFolder(bench, { 'model.onnx': content })
      await refuse(bench, bench.pack(source), { code: 'ONNX_FORMAT', where: join(source.folder, 'model.onnx') })
    }
  })

  for (const [name, make] of [
    ['a link out of the folder', (path: string) => symlink('/etc/passwd', path)],
    ['a link to nothing', (path: string) => symlink('nowhere', path)],
    ['a link to a folder', (path: string) => symlink('.', path)],
    ['a pipe', (path: string) => run('mkfifo', [path])],
    ['a socket', (path: string) => once(createServer().listen(path).unref(), 'listening')],
    ['a device', (path: string) => run('mknod', [path, 'c', '1', '3'])],
    ['a file that runs as its owner', (path: string) => writeFile(path, '').then(() => chmod(path, 0o4755))],
    ['a file that runs as its group', (path: string) => writeFile(path, '').then(() => chmod(path, 0o2755))],
  ] as const) {
    it(`${name}, and names it`, async t => {
      await using bench = await openBench()
      const source = await inFolder(bench, { 'model.onnx': model })
      const made = await Promise.resolve(make(join(source.folder, 'odd'))).catch((error: unknown) => error)
      if (made instanceof Error) return t.skip(`cannot make it here: ${made.message}`)
      await refuse(bench, bench.pack(source), { code: 'FILE_KIND', message: /m\/odd/ })
    })
  }

  it('a model that is a link out of the folder, but takes one that stays in it', async () => {
    await using bench = await openBench()
    const source = await inFolder(bench, {})
    await symlink('/bin/true', join(source.folder, 'model.onnx'))
    await refuse(bench, bench.pack(source), { code: 'FILE_KIND', message: /model\.onnx/ })
    await rm(join(source.folder, 'model.onnx'))
    await bench.makeFolder('m', { 'data/1': model })
    await symlink('data/1', join(source.folder, 'model.onnx'))
    assert.equal((await bench.pack(source)).version, 1)
  })

  it('what looks like a secret, and names it', async () => {
    await using bench = await openBench()
    const { privateKey } = generateKeyPairSync('ed25519')
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
    for (const [path, content] of [
      ['.env', 'TOKEN=1'],
      ['a/.aws/credentials', ''],
      ['tls.key', key],
    ] as const) {
      const folder = await bench.makeFolder(`with-${path.replaceAll('/', '-')}`, {
        'model.onnx': model,
        [path]: content,
      })
      await refuse(bench, bench.pack({ kind: 'folder', folder }), {
        code: 'FILE_SECRET',
        message: new RegExp(RegExp.escape(path)),
      })
    }
    const source = await inFolder(bench, { 'model.onnx': model, 'ca.pem': '-----BEGIN CERTIFICATE-----\n' })
    assert.equal((await bench.pack(source)).version, 1)
  })

  it('a run that failed, and one whose files are not those it left', async () => {
    await using bench = await openBench()
    const trained = await bench.train(2)
    const failed = { ...trained, record: { ...trained.record, state: 'failed', reason: 'it broke' } } as const
    await refuse(bench, bench.pack({ kind: 'run', run: failed }), { code: 'PACK_NO_MODEL', message: /it broke/ })
    await writeFile(join(trained.outputFolder, 'model.onnx'), toLinearModel({ weight: 5 }))
    await refuse(bench, bench.pack({ kind: 'run', run: trained }), { code: 'RUN_CHANGED' })
    await rm(join(trained.outputFolder, 'model.onnx'))
    await refuse(bench, bench.pack({ kind: 'run', run: trained }), { code: 'RUN_CHANGED' })
  })

  it('a file that changes while it is packed', async () => {
    await using bench = await openBench()
    const source = await inFolder(bench, { 'model.onnx': model, 'extra.bin': 'first' })
    const { layout } = bench
    const change = async (): Promise<void> => await writeFile(join(source.folder, 'extra.bin'), 'other')
    const changing = {
      ...layout,
      writeBlob: async (...args: Parameters<typeof layout.writeBlob>) => {
        await change()
        return await layout.writeBlob(...args)
      },
    }
    await refuse(bench, bench.pack(source, { layout: changing }), { code: 'FILE_CHANGED', message: /extra\.bin/ })
  })

  it('to go on after an interruption', async () => {
    await using bench = await openBench()
    const source = await inFolder(bench, { 'model.onnx': model })
    const { layout } = bench
    for (const count of [0, 1, 2, 3, 4]) {
      const abort = new AbortController()
      let written = 0
      if (count === 0) abort.abort(new Error('interrupted'))
      const interrupting = {
        ...layout,
        writeBlob: async (...args: Parameters<typeof layout.writeBlob>) => {
          written += 1
          if (written === count) abort.abort(new Error('interrupted'))
          return await layout.writeBlob(...args)
        },
      }
      const cacheFolder = join(bench.folder, `cache-${count}`)
      await refuse(bench, bench.pack(source, { layout: interrupting, cacheFolder }, abort.signal), {
        message: 'interrupted',
      })
    }
    assert.equal((await bench.pack(source)).version, 1)
  })

  it('to wait for another pack once it is interrupted', async () => {
    await using bench = await openBench()
    const source = await inFolder(bench, { 'model.onnx': model })
    await using _other = await takeFileLock(join(bench.layout.folder, 'versions.lock'))
    const signal = AbortSignal.timeout(500)
    await refuse(bench, bench.pack(source, {}, signal), { name: 'TimeoutError' })
  })

  it('to pack without bundles, or with a Node that is no program', async () => {
    await using bench = await openBench()
    const source = await inFolder(bench, { 'model.onnx': model })
    const runtimeFolder = await bench.makeFolder('none', {})
    await refuse(bench, bench.pack(source, { runtimeFolder }), { code: 'RUNTIME_MISSING', fix: 'npm run build' })
    const node = join(source.folder, 'model.onnx')
    await refuse(bench, bench.pack(source, { node }), { code: 'BASE_PLATFORM' })
  })

  it('to leave half an image on a full disk', async t => {
    await using bench = await openBench()
    const disk = await bench.makeFolder('disk', {})
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]).catch((error: unknown) => error)
    if (mounted instanceof Error) return t.skip(`cannot mount a small tmpfs: ${mounted.message}`)
    try {
      const layout = await openLayout(join(disk, 'oci'))
      const cacheFolder = join(disk, 'cache')
      const small = await inFolder(bench, { 'model.onnx': model })
      const first = await bench.pack(small, { layout, cacheFolder })
      const large = await bench.makeFolder('large', {
        'model.onnx': model,
        'weights.bin': Buffer.alloc(4 * 1024 * 1024),
      })
      await assert.rejects(bench.pack({ kind: 'folder', folder: large }, { layout, cacheFolder }), {
        code: 'DISK_FULL',
        message: /full/,
      })
      assert.deepEqual(await readdir(join(layout.folder, 'ingest')), [])
      assert.deepEqual(
        (await listVersions(layout, 'forecast')).map(({ digest }) => digest),
        [first.digest],
      )
      for (const { digest } of first.layers) await readLayer(layout, digest)
    } finally {
      await run('umount', [disk])
    }
  })
})
