import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseImageConfig } from '../../oci/index.ts'
import { toLinearModel } from '../../train/testing/onnx-model.ts'
import { type Bench, openBench } from '../testing/bench.ts'
import { withRuntimeImage } from './runtime-image.ts'
import { NODE_PATH, RUNTIME_PATH } from './server.ts'

/** Packs a model of this weight and reads what its runtime image is while there is one. */
async function inspect(bench: Bench, weight: number) {
  const { layout } = bench
  const folder = await bench.makeFolder(`m${weight}`, { 'model.onnx': toLinearModel({ weight }) })
  const packed = await layout.resolve((await bench.pack({ kind: 'folder', folder })).digest)
  assert.ok(packed)
  const before = await layout.list()
  const found = await withRuntimeImage(layout, packed, '1.2.3', async ({ digest }) => {
    assert.ok(await layout.resolve(digest))
    const manifest = await layout.readManifest(digest)
    const text = new TextDecoder().decode(await layout.readBlob(manifest.config.digest))
    const { history } = JSON.parse(text) as { readonly history: readonly unknown[] }
    return { digest, manifest, history, config: parseImageConfig(JSON.parse(text)) }
  })
  assert.ok(found)
  assert.deepEqual(await layout.list(), before)
  return { ...found, packed: await layout.readManifest(packed.digest) }
}

describe('withRuntimeImage()', () => {
  it('has base and runtime of a packed image, and starts its Node with what it is given', async () => {
    await using bench = await openBench()
    const { config, history, manifest, packed } = await inspect(bench, 2)
    assert.deepEqual(manifest.layers, packed.layers.slice(0, 2))
    assert.equal(config.rootfs.diff_ids.length, 2)
    assert.equal(history.length, 2)
    const { Cmd, Entrypoint, User, WorkingDir } = config.config
    assert.deepEqual([Entrypoint, Cmd, User, WorkingDir], [[NODE_PATH], undefined, '65532:65532', RUNTIME_PATH])
    assert.equal(manifest.annotations?.['dev.regatta.runtime'], '1.2.3')
    assert.equal(manifest.annotations?.['dev.regatta.model'], undefined)
  })

  it('is the same image for every model', async () => {
    await using bench = await openBench()
    assert.equal((await inspect(bench, 2)).digest, (await inspect(bench, 3)).digest)
  })

  it('leaves the layout as it was where its use fails', async () => {
    await using bench = await openBench()
    const folder = await bench.makeFolder('m', { 'model.onnx': toLinearModel({ weight: 2 }) })
    const packed = await bench.layout.resolve((await bench.pack({ kind: 'folder', folder })).digest)
    assert.ok(packed)
    const before = await bench.layout.list()
    const fail = () => Promise.reject(new Error('no registry'))
    await assert.rejects(withRuntimeImage(bench.layout, packed, '1', fail), { message: 'no registry' })
    assert.deepEqual(await bench.layout.list(), before)
  })

  it('is not made of an image that another server runs', async () => {
    await using bench = await openBench()
    const { layout } = bench
    const { manifest } = await inspect(bench, 2)
    const { digest } = await layout.putManifest({ ...manifest, layers: manifest.layers.slice(0, 1) })
    const packed = await layout.resolve(digest)
    assert.ok(packed)
    assert.equal(await withRuntimeImage(layout, packed, '1', () => Promise.resolve('used')), undefined)
  })
})
