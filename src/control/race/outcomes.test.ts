import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { SCHEMAS } from '../api/schemas.ts'
import { Place, type Running, toBatch, toRecord, toRequestId } from '../testing/place.ts'

let place: Place
let running: Running
beforeEach(async () => {
  place = await Place.open()
  running = await place.start()
})
afterEach(async () => await place[Symbol.asyncDispose]())

/** A race of two variants over some requests, of which all but the last have a truth. */
async function race(requests: number): Promise<void> {
  for (const body of [{ version: 1 }, { version: 2, variant: 'b', challenger: { mode: 'shadow' } }]) {
    const digest = await place.addImage(body.version)
    assert.equal((await running.json('POST', '/api/v1/deploy', { ...body, digest })).status, 200)
  }
  const epoch = Number((await running.json('GET', '/api/v1/status')).body['epoch'])
  const records = Array.from({ length: requests }, (_, at) => [
    toRecord(at, 1, 1, { epoch }),
    toRecord(at, 2, 2, { epoch, served: false, rows: [{ prediction: 2, series: 's', at: 1000 }] }),
  ])
  assert.equal((await running.json('POST', '/api/v1/records', toBatch(records.flat()))).status, 200)
  const truths = Array.from({ length: requests - 1 }, (_, at) => ({ prediction: toRequestId(at), value: 0.5 }))
  const none = { prediction: toRequestId(requests), value: 0 }
  assert.equal((await running.json('POST', '/truth', [...truths, none])).status, 200)
}

async function readLines(path: string): Promise<readonly unknown[]> {
  const response = await running.call(path, {}, 'read')
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson')
  const text = await response.text()
  return text.trimEnd() === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line))
}

describe('GET /api/v1/races/ID/outcomes', () => {
  it('streams every outcome once, over many pages', async () => {
    await race(1251)
    const lines = await readLines('/api/v1/races/1/outcomes')
    assert.equal(lines.length, 2500)
    const outcomes = lines.map(line => SCHEMAS.Outcome.parse(line))
    assert.equal(new Set(outcomes.map(({ request, variant }) => `${request} ${variant}`)).size, 2500)
    assert.deepEqual(outcomes[1], {
      request: toRequestId(0),
      row: 0,
      variant: 'b',
      version: 2,
      at: '2026-01-01T00:00:00.000Z',
      series: 's',
      targetAt: '1970-01-01T00:00:01.000Z',
      prediction: 2,
      truth: 0.5,
      loss: 2.25,
      served: false,
      propensity: 1,
      epoch: 2,
      input: null,
      output: null,
      entity: null,
      covariate: null,
      pinned: false,
      champion: false,
    })
  })

  it('is empty before the first truth, and 404 for a race that never was', async () => {
    await race(1)
    assert.deepEqual(await readLines('/api/v1/races/1/outcomes'), [])
    for (const id of ['2', '0', 'x', '1e3']) {
      const answer = await running.json('GET', `/api/v1/races/${id}/outcomes`)
      assert.equal(answer.status, 404)
      assert.equal(SCHEMAS.Error.parse(answer.body).error.code, 'RACE_UNKNOWN')
    }
  })

  it('is for bearers of read alone', async () => {
    await race(2)
    for (const [as, status] of [
      ['nobody', 401],
      ['truth', 403],
      ['gateway', 403],
      ['admin', 200],
    ] as const) {
      assert.equal((await running.call('/api/v1/races/1/outcomes', {}, as)).status, status, as)
    }
  })
})
