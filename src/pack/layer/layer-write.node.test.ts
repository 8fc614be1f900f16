import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openLayout, toDigest, toTarFile } from '../../oci/index.ts'
import type { LayerPlan } from './layer.ts'
import { writeLayer } from './layer-write.node.ts'

/** A layer of one file; returns what is told of it while it is written, and what was written. */
async function writeWatched(wrap: LayerPlan['wrap'], bytes: number) {
  const folder = await mkdtemp(join(tmpdir(), 'regatta-layer-'))
  try {
    const layout = await openLayout(folder)
    const content = Buffer.alloc(bytes, 'weights')
    const file = { ...toTarFile('models/m/1/model.onnx', content), mode: 0o644, digest: toDigest(content) }
    const told: (readonly [string, number | string | undefined])[] = []
    const layer = await writeLayer(layout, { kind: 'model', why: '', wrap, entries: [file] }, sizeBytes => {
      told.push(['size', sizeBytes])
      return {
        written: (_, writtenBytes) => void (writtenBytes === sizeBytes && told.push(['written', writtenBytes])),
        ended: blob => void told.push(['ended', blob?.digest]),
      }
    })
    return { told, blob: layer.descriptor }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

describe('writeLayer()', () => {
  for (const wrap of ['stored', 'none'] as const) {
    it(`tells of a large layer while it is written, wrapped as ${wrap}`, async () => {
      const { blob, told } = await writeWatched(wrap, 9_000_001)
      assert.deepEqual(told, [
        ['size', blob.size],
        ['written', blob.size],
        ['ended', blob.digest],
      ])
    })
  }

  it('does not tell of a small layer, nor of one whose length shows at the end', async () => {
    assert.deepEqual((await writeWatched('stored', 1000)).told, [])
    assert.deepEqual((await writeWatched('gzip', 9_000_001)).told, [])
  })
})
