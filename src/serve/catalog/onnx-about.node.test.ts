import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { toModel } from '../testing/onnx-model.ts'
import { openPlace, openServer } from '../testing/place.ts'
import { readOnnxAbout } from './onnx-about.node.ts'

const model = (size = 2): Uint8Array =>
  toModel({
    about: {
      producer: ['skl2onnx', '1.17'],
      description: 'é',
      properties: { team: 'a', empty: '', long: 'x'.repeat(300) },
    },
    nodes: [{ operator: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
    inputs: [{ name: 'x', dtype: 'float32', shape: [size] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [size] }],
    constants: { w: { shape: [size], values: new Float32Array(size) } },
  })
const properties = { team: 'a', empty: '', long: 'x'.repeat(300) }

describe('readOnnxAbout()', () => {
  it('reads what stands before and behind the weights', async () => {
    await using place = await openPlace({ 1: model(100_000) })
    const about = await readOnnxAbout(join(place.basePath, '1', 'model.onnx'))
    assert.deepEqual(about, {
      producer: 'skl2onnx 1.17',
      description: 'é',
      properties: new Map(Object.entries(properties)),
    })
  })

  it('says nothing of files that are no models', async () => {
    await using place = await openPlace()
    const path = join(place.basePath, 'file')
    for (const content of ['', 'pickle\n', Buffer.alloc(64, 255), Buffer.alloc(64, 7)]) {
      await writeFile(path, content)
      assert.deepEqual(await readOnnxAbout(path), { producer: '', description: '', properties: new Map() })
    }
  })

  it('is told in the metadata of V2', async () => {
    await using server = await openServer(model())
    const { properties: told } = JSON.parse((await server.ask('/v2/models/m')).text)
    assert.deepEqual(told, { ...properties, producer: 'skl2onnx 1.17', description: 'é' })
  })
})
