import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type ImageConfig, openLayout } from '../../oci/index.ts'
import { toLinearModel } from '../../train/testing/onnx-model.ts'
import type { PackedImage } from '../index.ts'
import { writeBase } from '../testing/base.ts'
import { type Bench, openBench } from '../testing/bench.ts'
import { listLayers, readConfig } from '../testing/layer.ts'

/* Servers other than the built-in, on a stand-in for the base that holds them. */

const SAVED_MODEL = {
  'saved_model.pb': 'graph',
  'variables/variables.index': 'index',
  'variables/variables.data-00000-of-00001': 'weights',
}
const ONNX = { 'model.onnx': toLinearModel({ weight: 2 }) }

interface Made {
  readonly packed: PackedImage
  readonly config: ImageConfig['config']
  /** Paths of the image with what is in them, base included. */
  readonly files: ReadonlyMap<string, { readonly text: string; readonly mode: number }>
}

async function pack(bench: Bench, image: string, model: Readonly<Record<string, string | Uint8Array>>): Promise<Made> {
  await writeBase(await openLayout(join(bench.folder, 'base')), 'base', ['amd64'])
  const source = { kind: 'folder', folder: await bench.makeFolder('m', model) } as const
  const wish = bench.withImage(`{ base: "oci:base", platforms: [linux/amd64], ${image} }`)
  const packed = await bench.pack(source, wish)
  const { layers } = await bench.layout.readManifest(packed.digest)
  const { config } = await readConfig(bench.layout, packed.digest)
  return { packed, config, files: await listLayers(bench.layout, layers) }
}

const listModels = ({ files }: Made): readonly string[] =>
  [...files.keys()].filter(path => /^(models|srv)\//.test(path)).sort()

describe('packImage() for TensorFlow Serving', () => {
  it('lays a SavedModel out as the server wants it, and starts the server of the base', async () => {
    await using bench = await openBench()
    const made = await pack(bench, 'server: tensorflow-serving', SAVED_MODEL)
    assert.deepEqual(
      made.packed.layers.map(({ kind }) => kind),
      ['base', 'base', 'app', 'model'],
    )
    assert.deepEqual(listModels(made), [
      'models/forecast/1/saved_model.pb',
      'models/forecast/1/variables/variables.data-00000-of-00001',
      'models/forecast/1/variables/variables.index',
    ])
    const { Cmd, Entrypoint, ExposedPorts, User } = made.config
    assert.deepEqual(Entrypoint, ['tensorflow_model_server'])
    assert.deepEqual(Cmd, [
      ...['--port=8500', '--rest_api_port=8501', '--model_name=forecast', '--model_base_path=/models/forecast'],
    ])
    assert.deepEqual(Object.keys(ExposedPorts ?? {}).sort(), ['8500/tcp', '8501/tcp', '9000/tcp'])
    assert.equal(User, '65532:65532')
    // The base's own settings stay where the server needs no others.
    assert.ok(made.config.Env?.includes('NODE_VERSION=24.1.0'))
  })

  it('takes no ONNX', async () => {
    await using bench = await openBench()
    await assert.rejects(pack(bench, 'server: tensorflow-serving', ONNX), {
      code: 'PACK_NO_MODEL',
      message: /expected saved_model\.pb in it, found model\.onnx/,
    })
  })
})

describe('packImage() for Triton', () => {
  it('lays ONNX out as a model repository, with a configuration made of its signature', async () => {
    await using bench = await openBench()
    const made = await pack(bench, 'server: triton', ONNX)
    assert.deepEqual(listModels(made), ['models/forecast/1/model.onnx', 'models/forecast/config.pbtxt'])
    assert.equal(
      made.files.get('models/forecast/config.pbtxt')?.text,
      [
        'name: "forecast"\nbackend: "onnxruntime"\nmax_batch_size: 0\n',
        'input {\n  name: "x"\n  data_type: TYPE_FP32\n  dims: [ -1, 1 ]\n}\n',
        'output {\n  name: "y"\n  data_type: TYPE_FP32\n  dims: [ -1, 1 ]\n}\n',
      ].join(''),
    )
    assert.deepEqual(made.config.Entrypoint, ['tritonserver'])
    assert.deepEqual(made.config.Cmd, ['--model-repository=/models'])
    assert.ok(made.config.ExposedPorts?.['8001/tcp'])
  })

  it('lays a SavedModel out in the folder of its name, and takes a configuration of its own', async () => {
    await using bench = await openBench()
    const own = { ...SAVED_MODEL, 'config.pbtxt': 'name: "mine"\n' }
    const made = await pack(bench, 'server: triton, modelPath: /srv/mine', own)
    assert.deepEqual(listModels(made), [
      'srv/mine/1/model.savedmodel/saved_model.pb',
      'srv/mine/1/model.savedmodel/variables/variables.data-00000-of-00001',
      'srv/mine/1/model.savedmodel/variables/variables.index',
      'srv/mine/config.pbtxt',
    ])
    assert.equal(made.files.get('srv/mine/config.pbtxt')?.text, 'name: "mine"\n')
    assert.deepEqual(made.config.Cmd, ['--model-repository=/srv'])
  })

  it('tells Triton what a SavedModel is, which tells the rest itself', async () => {
    await using bench = await openBench()
    const { files } = await pack(bench, 'server: triton, modelPath: /srv/mine', SAVED_MODEL)
    const wanted = 'name: "mine"\nplatform: "tensorflow_savedmodel"\n'
    assert.equal(files.get('srv/mine/config.pbtxt')?.text, wanted)
  })
})

describe('packImage() for a custom server', () => {
  const IMAGE = `server: custom, command: [python, /app/server.py],
    files: { /app/site-packages: packages, /app/server.py: server.py }`
  const files = {
    'packages/numpy/__init__.py': 'version = 1\n',
    'packages/numpy/__pycache__/__init__.pyc': 'cached',
    'packages/numpy/core.so': 'native',
    'server.py': 'serve()\n',
  }

  it('starts its command on its files, each entry a layer, and says where the model is', async () => {
    await using bench = await openBench()
    await bench.makeFolder('.', files)
    const made = await pack(bench, IMAGE, { 'weights.pt': 'torch' })
    assert.deepEqual(
      made.packed.layers.map(({ kind }) => kind),
      ['base', 'base', 'files', 'files', 'app', 'model'],
    )
    const own = [...made.files.keys()].filter(path => path.startsWith('app/')).sort()
    assert.deepEqual(own, ['app/server.py', 'app/site-packages/numpy/__init__.py', 'app/site-packages/numpy/core.so'])
    assert.equal(made.files.get('models/forecast/1/weights.pt')?.text, 'torch')
    assert.deepEqual(made.config.Entrypoint, ['python', '/app/server.py'])
    assert.equal(made.config.Cmd, undefined)
    assert.equal(made.config.WorkingDir, '/srv')
    const told = made.config.Env?.filter(pair => pair.startsWith('MODEL_'))
    assert.deepEqual(told, ['MODEL_NAME=forecast', 'MODEL_PATH=/models/forecast/1'])
  })

  it('makes the layer of its packages once', async () => {
    await using bench = await openBench()
    await bench.makeFolder('.', files)
    await pack(bench, IMAGE, { 'weights.pt': 'torch' })
    await bench.makeFolder('.', { 'server.py': 'serveBetter()\n' })
    const { packed } = await pack(bench, IMAGE, { 'weights.pt': 'torch' })
    assert.deepEqual(
      packed.layers.filter(({ kind }) => kind === 'files').map(({ reused }) => reused),
      [true, false],
    )
  })

  it('refuses files that are not there', async () => {
    await using bench = await openBench()
    await assert.rejects(pack(bench, IMAGE, { 'weights.pt': 'torch' }), {
      code: 'FILE_MISSING',
      message: /"packages" of image\.files/,
    })
  })
})
