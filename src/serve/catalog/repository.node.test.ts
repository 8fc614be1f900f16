import assert from 'node:assert/strict'
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openPlace } from '../testing/place.ts'
import { findModelFiles } from './repository.node.ts'

const find = (basePath: string) => findModelFiles({ name: 'm', basePath, policy: { kind: 'all' }, labels: new Map() })

describe('findModelFiles()', () => {
  it('finds the folders that whole numbers name, of two with one number the shorter name', async () => {
    const bytes = Buffer.from('model')
    await using place = await openPlace({ '0002': bytes, '03': bytes, 3: bytes, v4: bytes, '5.0': bytes, '-6': bytes })
    const found = await find(place.basePath)
    assert.deepEqual(
      found.map(({ version, path }) => [version, path]),
      [
        [3, join(place.basePath, '3', 'model.onnx')],
        [2, join(place.basePath, '0002', 'model.onnx')],
      ],
    )
  })

  it('tells the size of all files of a version, and when one of them is another', async () => {
    await using place = await openPlace({ 1: Buffer.from('model') })
    const weights = join(place.basePath, '1', 'weights.bin')
    await writeFile(weights, '12345')
    await mkdir(join(place.basePath, '1', 'assets.extra'))
    const [before] = await find(place.basePath)
    assert.equal(before?.sizeBytes, 10)
    assert.equal((await find(place.basePath))[0]?.stamp, before.stamp)
    await appendFile(weights, '6')
    const [after] = await find(place.basePath)
    assert.deepEqual([after?.sizeBytes, after?.stamp === before.stamp], [11, false])
  })

  it('refuses a folder that is not there', async () => {
    await using place = await openPlace()
    await assert.rejects(find(join(place.basePath, 'nowhere')), { code: 'MODEL_MISSING', message: /no such folder/ })
  })
})
