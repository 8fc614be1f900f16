import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { StatusJson } from '../src/control/index.ts'
import { makePlace, type Place } from './testing/place.ts'
import { tellRace } from './testing/race-story.ts'

describe('the story, verb by verb', () => {
  let place: Place
  before(() => {
    place = makePlace(undefined, { fresh: true })
  })
  after(async () => await place[Symbol.asyncDispose]())

  it('train keeps a run with its params and metrics', async () => {
    const run = await place.json<{ id: string; params: object; metrics: object; state: string }>(['train'])
    assert.equal(run.state, 'done')
    assert.deepEqual(run.params, { weight: 1 })
    assert.deepEqual(run.metrics, { loss: 1 / 3 })
    const runs = await place.json<{ runs: readonly { id: string }[] }>(['runs'])
    assert.deepEqual(
      runs.runs.map(({ id }) => id),
      [run.id],
    )
  })

  it('pack gives one digest: again, in another folder, with another umask and time zone', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'regatta-copy-'))
    try {
      cpSync(place.folder, copy, { recursive: true })
      const first = await place.json<{ digest: string; version: number }>(['pack'])
      const again = await place.json<{ digest: string; version: number }>(['pack'])
      const before = process.umask(0o077)
      const env = { TZ: 'Asia/Tokyo', LC_ALL: 'tr_TR.UTF-8' }
      const elsewhere = await place.run(['pack', '--cwd', copy, '--json'], { env }).finally(() => process.umask(before))
      assert.equal(elsewhere.code, 0, elsewhere.err)
      assert.deepEqual([first.version, again.version], [1, 1])
      assert.equal(again.digest, first.digest)
      assert.equal((JSON.parse(elsewhere.out) as { digest: string }).digest, first.digest)
    } finally {
      rmSync(copy, { recursive: true, force: true })
    }
  })

  tellRace(() => ({ target: 'local', place }))

  it('logs, doctor and prune say what there is', async () => {
    const logs = await place.run(['logs', 'gateway'])
    assert.equal(logs.code, 0, logs.err)
    const doctor = await place.run(['doctor'])
    assert.equal(doctor.code, 0, doctor.out)
    const pruned = await place.json<{ done: boolean; rows: number }>(['prune'])
    assert.deepEqual([pruned.done, pruned.rows], [false, 0])
  })

  it('delete and down leave nothing that listens or lives', async () => {
    const { gateway } = await place.json<StatusJson>(['status'])
    await place.json(['delete', '--yes'])
    assert.deepEqual((await place.json<StatusJson>(['status'])).variants, [])
    await place.json(['down'])
    assert.deepEqual(place.listProcesses(), [])
    assert.ok(gateway.url)
    await assert.rejects(fetch(gateway.url))
  })
})
