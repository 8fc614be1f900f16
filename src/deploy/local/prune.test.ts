import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type Digest, parseVariantName } from '../../core/brands.ts'
import type { Routes } from '../../core/wire/routes.ts'
import { pruneLocalModels } from '../index.ts'
import { writeRoutesRecord } from './routes-record.node.ts'
import { openPlace } from './testing/place.ts'

const toName = (digest: Digest): string => digest.slice('sha256:'.length, 'sha256:'.length + 12)

function toRoutes(digest: Digest): Routes {
  const champion = { id: 1, name: parseVariantName('a'), version: 1, digest, role: 'champion', weight: 1 } as const
  return {
    schema: 'regatta/routes/v1',
    deployment: 'forecast',
    epoch: 1,
    variants: [{ ...champion, replicas: [] }],
    capture: {},
  }
}

describe('pruneLocalModels()', () => {
  it('finds nothing, and makes nothing, where nothing ever ran', async () => {
    await using place = await openPlace()
    assert.deepEqual(await pruneLocalModels(place.folder, { dryRun: false }), { models: [], bytes: 0 })
    assert.equal(existsSync(place.folder), false)
  })

  it('removes what the routes do not refer to, after saying so in a dry run', async () => {
    await using place = await openPlace()
    const { folder, digests } = place
    for (const digest of [digests.a, digests.b]) {
      await mkdir(join(folder, 'models', toName(digest), '1'), { recursive: true })
      writeFileSync(join(folder, 'models', toName(digest), '1', 'model.onnx'), 'x'.repeat(1000))
    }
    await writeRoutesRecord(folder, toRoutes(digests.a))
    const wanted = { models: [toName(digests.b)], bytes: 1000 }
    assert.deepEqual(await pruneLocalModels(folder, { dryRun: true }), wanted)
    assert.equal(readdirSync(join(folder, 'models')).length, 2)
    assert.deepEqual(await pruneLocalModels(folder, { dryRun: false }), wanted)
    assert.deepEqual(readdirSync(join(folder, 'models')), [toName(digests.a)])
    assert.deepEqual(await pruneLocalModels(folder, { dryRun: false }), { models: [], bytes: 0 })
  })

  it('touches nothing while a supervisor has the folder, nor where the routes cannot be read', async () => {
    await using place = await openPlace()
    const { folder } = place
    {
      await using _target = await place.open()
      await mkdir(join(folder, 'models', '0123456789ab'), { recursive: true })
      assert.deepEqual(await pruneLocalModels(folder, { dryRun: false }), { models: [], bytes: 0 })
    }
    writeFileSync(join(folder, 'routes.json'), '{}')
    await assert.rejects(pruneLocalModels(folder, { dryRun: false }), { code: 'ROUTES_RECORD' })
    assert.deepEqual(readdirSync(join(folder, 'models')), ['0123456789ab'])
  })
})
