import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdir, rm, symlink, writeFile } from 'node:fs/promises'
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

  it('links and pipes', async () => {
    await using bench = await openBench()
    const source = await inFolder(bench, { 'model.onnx': model })
    await symlink('/etc/passwd', join(source.folder, 'notes'))
    await refuse(bench, bench.pack(source), { code: 'FILE_KIND', message: /notes/ })
    await rm(join(source.folder, 'notes'))
    await run('mkfifo', [join(source.folder, 'pipe')])
    await refuse(bench, bench.pack(source), { code: 'FILE_KIND', message: /pipe/ })
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
