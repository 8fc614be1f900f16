import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { toDigest } from '../../oci/index.ts'
import { openOnnxEngine } from '../../serve/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import type { OpenModel, PackedImage } from '../index.ts'
import { pruneRewritten, toLayoutPlace, verifyImage } from '../index.ts'
import { rewriteLoops } from '../onnx/rewrite.ts'
import { type Bench, openBench } from '../testing/bench.ts'
import { listLayers } from '../testing/layer.ts'

const openModel: OpenModel = path => openOnnxEngine({ path, intraOpThreads: 1 })
const read = (name: string): Uint8Array =>
  readFileSync(join(import.meta.dirname, '..', 'onnx', 'testing', `${name}.onnx`))
const model = read('function')
const rewritten = rewriteLoops(model).bytes ?? new Uint8Array()

/** Packs a folder with a model, and gives the digest of the model in the image, too. */
async function packModel(
  bench: Bench,
  bytes: Uint8Array,
  wish: Parameters<Bench['pack']>[1],
): Promise<PackedImage & { readonly inImage: string; readonly annotations: Readonly<Record<string, string>> }> {
  const folder = await bench.makeFolder('m', { 'model.onnx': bytes })
  const packed = await bench.pack({ kind: 'folder', folder }, wish)
  const files = await listLayers(bench.layout, packed.layers)
  const inImage = toDigest(Buffer.from(files.get(`models/forecast/${packed.version}/model.onnx`)?.text ?? '', 'latin1'))
  const { annotations = {} } = await bench.layout.readManifest(packed.digest)
  return { ...packed, inImage, annotations }
}

/** Counts the models that are opened, and changes the answers of those that were rewritten. */
function watch(change: (value: number) => number = value => value) {
  const opened: string[] = []
  const open: OpenModel = async path => {
    opened.push(path)
    const engine = await openModel(path)
    const run: typeof engine.run = async (inputs, outputs) => {
      const found = await engine.run(inputs, outputs)
      if (!path.includes('/cache/loops/')) return found
      const changed = [...found.outputs].map(([name, tensor]) => [name, withChange(tensor, change)] as const)
      return { ...found, outputs: new Map(changed) }
    }
    return { ...engine, run, [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose]() }
  }
  return { open, opened }
}

function withChange(tensor: Tensor, change: (value: number) => number): Tensor {
  assert.equal(tensor.dtype, 'float32')
  return { ...tensor, data: tensor.data.map(change) }
}

describe('packImage() of a model with loops', () => {
  it('puts the rewritten model into the image, which names the other one', async () => {
    await using bench = await openBench()
    const { annotations, inImage, loops } = await packModel(bench, model, { openModel })
    assert.equal(inImage, toDigest(rewritten))
    assert.equal(annotations['dev.regatta.rewritten'], toDigest(model))
    assert.deepEqual([loops?.original, loops?.rewritten], [toDigest(model), toDigest(rewritten)])
    assert.equal(loops?.comparison?.inputs, 8)
    assert.ok(loops.comparison.beforeMs > 0 && loops.comparison.afterMs > 0)
  })

  it('finds the loops of a model that is read in many parts', async () => {
    await using bench = await openBench()
    // doc_string (6), 3 MiB long: what follows is another part of the file.
    const text = Buffer.alloc(3 * 2 ** 20, 'a')
    const large = Buffer.concat([Uint8Array.of(0x32, 0x80, 0x80, 0xc0, 0x01), text, model])
    const { loops } = await packModel(bench, large, { openModel })
    assert.deepEqual([loops?.original, loops?.problem], [toDigest(large), null])
    assert.notEqual(loops?.rewritten, null)
  })

  it('gives the same digest in another place', async () => {
    await using one = await openBench()
    await using two = await openBench()
    assert.equal(
      (await packModel(one, model, { openModel })).digest,
      (await packModel(two, model, { openModel })).digest,
    )
  })

  it('compares the models once', async () => {
    await using bench = await openBench()
    const { open, opened } = watch()
    const first = await packModel(bench, model, { openModel: open })
    assert.equal(opened.length, 2)
    const second = await packModel(bench, model, { openModel: open })
    assert.equal(opened.length, 2)
    assert.deepEqual([second.digest, second.loops], [first.digest, first.loops])
    await packModel(bench, model, { openModel: open, verify: true })
    assert.equal(opened.length, 4)
  })

  it('makes a rewritten model again that is damaged or gone, without comparing it again', async () => {
    await using bench = await openBench()
    const { open, opened } = watch()
    const first = await packModel(bench, model, { openModel: open })
    const place = join(bench.folder, '.regatta', 'cache', 'loops', toDigest(model).slice('sha256:'.length))
    await writeFile(`${place}.onnx`, 'damaged')
    assert.equal((await packModel(bench, model, { openModel: open })).digest, first.digest)
    assert.deepEqual(readFileSync(`${place}.onnx`), Buffer.from(rewritten))
    const cache = join(bench.folder, '.regatta', 'cache')
    assert.equal(await pruneRewritten(cache, { dryRun: true }), rewritten.length)
    assert.equal(await pruneRewritten(cache, { dryRun: false }), rewritten.length)
    assert.equal(await pruneRewritten(cache, { dryRun: false }), 0)
    assert.equal((await packModel(bench, model, { openModel: open })).inImage, toDigest(rewritten))
    assert.equal(opened.length, 2)
  })

  it('leaves a model as it is that answers otherwise without its loops', async () => {
    await using bench = await openBench()
    const { open, opened } = watch(value => value + 1e-3)
    const { annotations, inImage, loops } = await packModel(bench, model, { openModel: open })
    assert.equal(inImage, toDigest(model))
    assert.equal(annotations['dev.regatta.rewritten'], undefined)
    assert.deepEqual([loops?.rewritten, loops?.problem], [null, 'it answers otherwise, off by 1.0e-3'])
    await packModel(bench, model, { openModel: open })
    assert.equal(opened.length, 2)
  })

  it('leaves a model as it is that no runtime can run', async () => {
    await using bench = await openBench()
    const { inImage, loops } = await packModel(bench, model, {
      openModel: () => Promise.reject(new Error('there is no runtime')),
    })
    assert.equal(inImage, toDigest(model))
    assert.equal(loops?.problem, 'there is no runtime')
    assert.equal((await packModel(bench, model, { openModel })).inImage, toDigest(rewritten))
  })

  it('leaves a loop as it is that it does not know', async () => {
    await using bench = await openBench()
    const { inImage, loops } = await packModel(bench, read('masked'), { openModel })
    assert.equal(inImage, toDigest(read('masked')))
    assert.deepEqual(
      loops?.loops.map(({ reason }) => reason),
      ['it carries 2 states'],
    )
  })

  it('leaves every loop as it is with image.loops: keep', async () => {
    await using bench = await openBench()
    const { inImage, loops } = await packModel(bench, model, { openModel, ...bench.withImage('{ loops: keep }') })
    assert.deepEqual([inImage, loops], [toDigest(model), null])
  })

  it('says nothing of a model without loops, and does not run it', async () => {
    await using bench = await openBench()
    const { open, opened } = watch()
    assert.equal((await packModel(bench, rewritten, { openModel: open })).loops, null)
    assert.deepEqual(opened, [])
  })

  it('is verified as what its run left', async () => {
    await using bench = await openBench()
    const path = join(bench.folder, 'trained.onnx')
    await writeFile(path, model)
    const run = await bench.trainCommand(`cp ${path} "$REGATTA_OUTPUT/model.onnx"`)
    const packed = await bench.pack({ kind: 'run', run }, { openModel })
    assert.equal(packed.loops?.rewritten, toDigest(rewritten))
    const root = await bench.layout.resolve(packed.digest)
    assert.ok(root)
    const { problems } = await verifyImage(
      toLayoutPlace(bench.layout, packed.digest),
      root,
      new AbortController().signal,
    )
    assert.deepEqual(problems, [])
  })
})
