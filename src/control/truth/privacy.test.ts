import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Place, toBatch, toRecord } from '../testing/place.ts'
import { toPrivacy } from './privacy.ts'

const KEY = 'an admin token'
const record = toRecord(1, 1, 1.5, {
  ...{ entity: 'customer-7', status: 400, error: 'cannot read "secret"' },
  rows: [{ prediction: 1.5, series: 'meter-7', at: 1000, entity: 'customer-8' }],
})

describe('toPrivacy()', () => {
  it('leaves everything as it is by default', () => {
    assert.deepEqual(toPrivacy({ drop: [], hash: [] }, KEY).hideRecord(record), record)
  })

  it('drops what shall not be stored', () => {
    const { hideRecord } = toPrivacy({ drop: ['series', 'at', 'entity', 'error'], hash: [] }, KEY)
    const { entity: _, error: __, ...rest } = record
    assert.deepEqual(hideRecord(record), { ...rest, rows: [{ prediction: 1.5 }] })
  })

  it('drops rather than hashes what both are asked for', () => {
    assert.equal(toPrivacy({ drop: ['entity'], hash: ['entity'] }, KEY).hideRecord(record).entity, undefined)
  })

  it('hashes under the key: the same for the same name, another for another name, part or key', () => {
    const hash = ['series', 'entity'] as const
    const { hideRecord, hideTruth } = toPrivacy({ drop: [], hash }, KEY)
    const hidden = hideRecord(record)
    const [row] = hidden.rows
    assert.match(row?.series ?? '', /^[\w-]{22}$/)
    assert.deepEqual(hideRecord(record), hidden)
    const digests = [hidden.entity, row?.entity, row?.series]
    const sameName = toPrivacy({ drop: [], hash }, KEY).hideRecord({ ...record, entity: 'meter-7' }).entity
    const otherKey = toPrivacy({ drop: [], hash }, 'another token').hideRecord(record).entity
    assert.equal(new Set([...digests, sameName, otherKey]).size, 5)
    const truth = { by: 'series', series: 'meter-7', at: 1000, value: 2, revision: 0, source: undefined } as const
    assert.deepEqual(hideTruth(truth), { ...truth, series: row?.series })
    const byId = { ...truth, by: 'prediction', id: { request: record.request, row: 0 } } as const
    assert.deepEqual(hideTruth(byId), byId)
  })
})

describe('control with race.hash and race.drop', () => {
  it('joins truth by series, and no name is in the database', async () => {
    await using place = await Place.open()
    const running = await place.start({
      truth: { by: 'series', series: undefined, at: undefined },
      hash: ['series', 'input.mail'],
      drop: ['error', 'input.name'],
      log: 'inputs',
    })
    for (const body of [{ version: 1 }, { version: 2, variant: 'b', challenger: { mode: 'shadow' } }]) {
      const digest = await place.addImage(body.version)
      assert.equal((await running.json('POST', '/api/v1/deploy', { ...body, digest })).status, 200)
    }
    const epoch = Number((await running.json('GET', '/api/v1/status')).body['epoch'])
    const logged = { input: { name: 'somebody-else', age: 41, mail: 'mail-of-somebody' }, output: { y: 3 } }
    const rows = [{ prediction: 3, series: 'meter-of-somebody', at: 1000, ...logged }]
    const records = [
      toRecord(1, 1, 3, { epoch, rows, error: 'said-by-somebody' }),
      toRecord(1, 2, 4, { epoch, rows, served: false }),
    ]
    assert.equal((await running.json('POST', '/api/v1/records', toBatch(records))).status, 200)
    const truth = { series: 'meter-of-somebody', at: 1000, value: 1 }
    const { body } = await running.json('POST', '/truth', [truth, { ...truth, at: 2000 }])
    assert.deepEqual([body['new'], body['orphan']], [1, 1])
    assert.equal((await running.json('POST', '/truth', { ...truth, value: 2 })).body['conflict'], 1)
    const outcomes = await (await running.call('/api/v1/races/1/outcomes', {}, 'read')).text()
    const [first, second] = outcomes
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    assert.deepEqual([first.input.age, first.input.name, first.output], [41, undefined, { y: 3 }])
    assert.match(first.input.mail, /^[\w-]{22}$/)
    assert.deepEqual(second.input, first.input)
    assert.equal((await running.call('/api/v1/races/1/outcomes', {}, 'nobody')).status, 401)
    const { capture } = JSON.parse(await (await running.call('/api/v1/routes', {}, 'gateway')).text())
    assert.equal(capture.log, 'inputs')
    await running.stop()
    const bytes = await readFile(join(place.folder, 'regatta.db'), 'latin1')
    const log = await readFile(join(place.folder, 'regatta.db-wal'), 'latin1').catch(() => '')
    for (const name of ['meter-of-somebody', 'said-by-somebody', 'mail-of-somebody', 'somebody-else']) {
      assert.ok(!`${outcomes}${bytes}${log}`.includes(name), name)
    }
  })
})
