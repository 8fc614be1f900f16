import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Place, type Running, toBatch, toRecord, toRequestId } from '../testing/place.ts'

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
    const odd = toRecord(5, 1, 0, { epoch, at: Date.now() - 3_600_000, rows: [{ prediction: 'NaN' }] })
    const records = Array.from({ length: 4 }, (_, at) => [
      toRecord(at, 1, at, { epoch, at: Date.now() - 3_600_000 }),
      toRecord(at, 2, 0, { epoch, served: false, at: Date.now() - 3_600_000 }),
    ])
    await running.json('POST', '/api/v1/records', toBatch([...records.flat(), odd]))
    const truths = [0, 1, 5, 9].map(at => ({ prediction: toRequestId(at), value: 0 }))
    await running.json('POST', '/truth', truths)
    await running.json('POST', '/truth', truths)
    const metrics = await readMetrics(running)
    const wanted = {
      'regatta_race_predictions{race="1",variant="a",version="1"}': 5,
      'regatta_race_labels{race="1",variant="b",version="2"}': 2,
      'regatta_race_join_ratio{race="1",variant="a",version="1"}': 0.4,
      'regatta_race_loss_mean{race="1",variant="a",version="1"}': 0.5,
      'regatta_race_loss_mean{race="1",variant="b",version="2"}': 0,
      'regatta_race_improvement{race="1",bound="estimate"}': 0.5,
      'regatta_race_judged_labels{race="1"}': 2,
      regatta_race_orphans: 1,
      'regatta_race_drift{race="1"}': 0,
      'regatta_race_mature_predictions{race="1",variant="a",version="1"}': 5,
      'regatta_race_missing_truths{race="1",variant="b",version="2"}': 2,
      'regatta_race_provisional_labels{race="1",variant="a",version="1"}': 0,
      'regatta_race_refused_outcomes{race="1"}': 1,
      'regatta_truth_lateness_seconds_count{race="1",variant="a"}': 3,
      'regatta_truth_lateness_seconds_bucket{race="1",variant="a",le="+Inf"}': 3,
    }
    assert.deepEqual(Object.fromEntries(Object.keys(wanted).map(key => [key, metrics.get(key)])), wanted)
    const sum = metrics.get('regatta_truth_lateness_seconds_sum{race="1",variant="a"}') ?? 0
    assert.ok(sum / 3 > 3200 && sum / 3 < 4400, `${sum / 3} s, wanted an hour`)
    assert.ok((metrics.get('regatta_race_improvement{race="1",bound="lower"}') ?? 1) < 0)
    assert.ok((metrics.get('regatta_race_improvement{race="1",bound="upper"}') ?? 0) > 1)
  })
})
