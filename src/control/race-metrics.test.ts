import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Place, type Running, toBatch, toRecord, toRequestId } from './testing/place.ts'

async function readMetrics(running: Running): Promise<ReadonlyMap<string, number>> {
  const text = await (await running.call('/metrics')).text()
  const samples = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(
    samples.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

describe('/metrics', () => {
  it('shows the race: losses, the improvement with its bounds, how many truths were joined and how late', async () => {
    await using place = await Place.open()
    const running = await place.start()
    const before = await readMetrics(running)
    assert.equal(before.get('regatta_race_improvement{race="1",bound="estimate"}'), undefined)
    for (const body of [{ version: 1 }, { version: 2, variant: 'b', challenger: { mode: 'shadow' } }]) {
      const digest = await place.addImage(body.version)
      assert.equal((await running.json('POST', '/api/v1/deploy', { ...body, digest })).status, 200)
    }
    const epoch = Number((await running.json('GET', '/api/v1/status')).body['epoch'])
    const records = Array.from({ length: 4 }, (_, at) => [
      toRecord(at, 1, at, { epoch }),
      toRecord(at, 2, 0, { epoch, served: false }),
    ])
    await running.json('POST', '/api/v1/records', toBatch(records.flat()))
    const truths = [0, 1, 9].map(at => ({ prediction: toRequestId(at), value: 0 }))
    await running.json('POST', '/truth', truths)
    await running.json('POST', '/truth', truths)
    const metrics = await readMetrics(running)
    const wanted = {
      'regatta_race_predictions{race="1",variant="a",version="1"}': 4,
      'regatta_race_labels{race="1",variant="b",version="2"}': 2,
      'regatta_race_join_ratio{race="1",variant="a",version="1"}': 0.5,
      'regatta_race_loss_mean{race="1",variant="a",version="1"}': 0.5,
      'regatta_race_loss_mean{race="1",variant="b",version="2"}': 0,
      'regatta_race_improvement{race="1",bound="estimate"}': 0.5,
      'regatta_race_judged_labels{race="1"}': 2,
      regatta_race_orphans: 1,
      'regatta_race_drift{race="1"}': 0,
      regatta_truth_lateness_seconds_count: 3,
    }
    assert.deepEqual(Object.fromEntries(Object.keys(wanted).map(key => [key, metrics.get(key)])), wanted)
    // Ids 0, 1 and 9 ms into 2026.
    const age = (Date.now() - Date.UTC(2026, 0, 1)) / 1000
    assert.ok(Math.abs((metrics.get('regatta_truth_lateness_seconds_sum') ?? 0) / 3 - Math.max(0, age)) < 60)
    assert.ok((metrics.get('regatta_race_improvement{race="1",bound="lower"}') ?? 1) < 0)
    assert.ok((metrics.get('regatta_race_improvement{race="1",bound="upper"}') ?? 0) > 1)
  })
})
