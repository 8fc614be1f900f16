import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'

import type { RaceJson } from './api/race.ts'
import { SCHEMAS } from './api/schemas.ts'
import { Place, type Running, toBatch, toRecord, toRequestId } from './testing/place.ts'
import { runForTrace } from './testing/run.ts'

let place: Place
beforeEach(async () => {
  place = await Place.open()
})
afterEach(async () => await place[Symbol.asyncDispose]())

/** Champion a and challenger b in shadow; says the epoch of both. */
async function startRace(running: Running, more: object = { challenger: { mode: 'shadow' } }): Promise<number> {
  for (const body of [{ version: 1 }, { version: 2, variant: 'b', ...more }]) {
    const digest = await place.addImage(body.version)
    const answer = await running.json('POST', '/api/v1/deploy', { ...body, digest })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
  }
  return Number((await running.json('GET', '/api/v1/status')).body['epoch'])
}

const noise = (at: number): number => Math.sin(at * 12.9898) * 0.5
/** The records of both variants for requests `from` to `to`: A answers `biasA` beside the truth of 0, B `biasB`. */
const toPairs = (epoch: number, from: number, to: number, biasA: number, biasB: number) =>
  Array.from({ length: to - from }, (_, index) => index + from).flatMap(at => [
    toRecord(at, 1, biasA + noise(at), { epoch }),
    toRecord(at, 2, biasB + noise(at + (biasA === biasB ? 0 : 0.3)), { epoch, served: false, replica: 'b-1' }),
  ])
const toZeros = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => ({ prediction: toRequestId(index + from), value: 0 }))

async function take(running: Running, path: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await running.json('POST', path, body)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body
}
async function raceOf(running: Running): Promise<RaceJson> {
  const answer = await running.json('GET', '/api/v1/race')
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  const race = SCHEMAS.Race.parse(answer.body)
  assert.deepEqual(race, answer.body)
  return race
}

describe('POST /api/v1/records', () => {
  it('stores a batch, and the same batch again as nothing', async () => {
    const running = await place.start()
    const batch = toBatch(toPairs(await startRace(running), 0, 5, 1, 2))
    const first = await take(running, '/api/v1/records', batch)
    assert.deepEqual(SCHEMAS.RecordsStored.parse(first), { schema: 'regatta/records-stored/v1', added: 10, joined: 0 })
    assert.equal((await take(running, '/api/v1/records', batch))['added'], 0)
    const response = await running.call('/metrics')
    assert.match(await response.text(), /records_total\{state="known"\} 10/)
  })

  it('takes a gateway token, and sums what gateways dropped', async () => {
    const running = await place.start()
    const body = JSON.stringify(toBatch([], 7))
    const response = await running.call('/api/v1/records', { method: 'POST', body }, 'gateway')
    assert.equal(response.status, 200)
    const status = SCHEMAS.Status.parse((await running.json('GET', '/api/v1/status')).body)
    assert.equal(status.gateway.droppedRecords, 7)
    assert.match(await (await running.call('/metrics')).text(), /^regatta_control_gateway_dropped_records 7$/m)
  })

  it('refuses a batch of another form, naming the place', async () => {
    const running = await place.start()
    const broken = toBatch([{ ...toRecord(1, 1, 1), request: 'x' }])
    const answer = await running.json('POST', '/api/v1/records', broken)
    assert.equal(answer.status, 400)
    const { code, message } = SCHEMAS.Error.parse(answer.body).error
    assert.equal(code, 'RECORDS')
    assert.match(message, /records\[0\]\.request/)
  })
})

describe('POST /truth', () => {
  it('stores no truth about a request that is not in the sample', async () => {
    await using place = await Place.open()
    const running = await place.start({ sample: 0.5 })
    const truths = ['00000000', 'ffffffff'].map(end => ({ prediction: `019a0000-0000-7000-8000-0000${end}`, value: 1 }))
    const { body } = await running.json('POST', '/truth', truths)
    assert.deepEqual([body['orphan'], body['stale']], [1, 1])
  })

  const counts = { new: 0, duplicate: 0, revised: 0, stale: 0, conflict: 0, orphan: 0, refused: 0, problems: [] }

  it('counts what becomes of each truth', async () => {
    const running = await place.start()
    await take(running, '/api/v1/records', toBatch(toPairs(await startRace(running), 0, 3, 1, 2)))
    const truth = { prediction: toRequestId(0), value: 1 }
    const rows: [name: string, truth: object, counted: object][] = [
      ['new', truth, { new: 1 }],
      ['duplicate', truth, { duplicate: 1 }],
      ['conflict', { ...truth, value: 2 }, { conflict: 1 }],
      ['revised', { ...truth, value: 2, revision: 1 }, { revised: 1 }],
      ['stale', truth, { stale: 1 }],
      ['orphan', { prediction: toRequestId(99), value: 1 }, { orphan: 1 }],
    ]
    for (const [name, body, counted] of rows) {
      const answer = SCHEMAS.TruthsTaken.parse(await take(running, '/truth', body))
      assert.deepEqual(answer, { schema: 'regatta/truth/v1', ...counts, ...counted }, name)
    }
    // A control that is busy shows the race as it was a moment ago.
    while ((await raceOf(running)).truths.orphan < 1) await new Promise(resolve => setTimeout(resolve, 20))
    assert.deepEqual((await raceOf(running)).truths, {
      new: 1,
      duplicate: 1,
      revised: 1,
      stale: 1,
      conflict: 1,
      orphan: 1,
    })
  })

  it('takes NDJSON with a truth token, and names the line that is wrong', async () => {
    const running = await place.start()
    await take(running, '/api/v1/records', toBatch(toPairs(await startRace(running), 0, 3, 1, 2)))
    const lines = toZeros(0, 3).map(item => JSON.stringify(item))
    const send = async (body: string): Promise<Response> =>
      await running.call(
        '/truth',
        { method: 'POST', body, headers: { 'content-type': 'application/x-ndjson' } },
        'truth',
      )
    const refused = await send([...lines, '{"series":"s","at":0,"value":"many"}'].join('\n'))
    assert.equal(refused.status, 400)
    assert.match(SCHEMAS.Error.parse(await refused.json()).error.message, /field "value" of line 4.*found "many"/)
    const taken = await send(`${lines.join('\n')}\n`)
    assert.deepEqual(await taken.json(), { schema: 'regatta/truth/v1', ...counts, new: 3 })
  })

  it('stores NDJSON while it arrives, and keeps what came before a line that is wrong', async () => {
    const running = await place.start()
    const headers = { 'content-type': 'application/x-ndjson' }
    const lines = toZeros(0, 2500).map(item => `${JSON.stringify(item)}\n`)
    let release = (): void => {}
    const held = new Promise<void>(resolve => (release = resolve))
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode(lines.join(''))
      await held
      yield new TextEncoder().encode('{"value": NaN}\n')
    }
    const body = ReadableStream.from(chunks())
    const answer = running.call('/truth', { method: 'POST', headers, body, duplex: 'half' } as RequestInit)
    while ((await running.store.readTruthCounts()).orphan < 2000) await new Promise(resolve => setTimeout(resolve, 5))
    release()
    const refused = await answer
    assert.equal(refused.status, 400)
    const { message } = SCHEMAS.Error.parse(await refused.json()).error
    assert.match(message, /line 2501.*; 2000 truths before it were taken/)
    const again = await running.call('/truth?on-error=skip', {
      method: 'POST',
      headers,
      body: `${lines.join('')}{"value":NaN}\n`,
    })
    const { duplicate, orphan, refused: left, problems } = SCHEMAS.TruthsTaken.parse(await again.json())
    assert.deepEqual([duplicate, orphan, left], [2000, 500, 1])
    assert.equal(problems[0]?.place, 'line 2501')
    assert.match(await (await running.call('/metrics')).text(), /truths_total\{outcome="refused"\} 2/)
  })

  it('says which words on-error takes', async () => {
    const running = await place.start()
    const answer = await running.json('POST', '/truth?on-error=ignore', [])
    assert.equal(answer.status, 400)
    assert.match(SCHEMAS.Error.parse(answer.body).error.message, /expected refuse or skip, found "ignore"/)
  })

  it('joins a truth that came before its prediction', async () => {
    const running = await place.start()
    const epoch = await startRace(running)
    const orphan = await take(running, '/truth', toZeros(0, 2))
    assert.equal(orphan['orphan'], 2)
    const stored = await take(running, '/api/v1/records', toBatch(toPairs(epoch, 0, 2, 1, 2)))
    assert.equal(stored['joined'], 4)
    const race = await raceOf(running)
    assert.deepEqual(
      race.variants.map(arm => [arm.predictions, arm.labels]),
      [
        [2, 2],
        [2, 2],
      ],
    )
    assert.equal(race.verdict.labels, 2)
  })

  it('joins by series and time', async () => {
    const running = await place.start({ truth: { by: 'series', series: undefined, at: undefined } })
    const epoch = await startRace(running)
    const rows = [{ prediction: 3, series: 's', at: Date.UTC(2026, 0, 31) }]
    const records = [1, 2].map(variant => toRecord(0, variant, 0, { epoch, served: variant === 1, rows }))
    await take(running, '/api/v1/records', toBatch(records))
    const taken = await take(running, '/truth', { series: 's', at: '2026-01-31', value: 1 })
    assert.equal(taken['new'], 1)
    assert.deepEqual(
      (await raceOf(running)).variants.map(arm => arm.meanLoss),
      [4, 4],
    )
  })
})

describe('GET /api/v1/race', () => {
  it('is 404 before the first', async () => {
    const running = await place.start()
    for (const path of ['/api/v1/race', '/api/v1/race/series']) {
      const answer = await running.json('GET', path)
      assert.deepEqual([answer.status, SCHEMAS.Error.parse(answer.body).error.code], [404, 'RACE_NONE'])
    }
  })

  it('decides for the better challenger, writes that once, and keeps it over a restart', async () => {
    const running = await place.start()
    const epoch = await startRace(running)
    for (let from = 0; from < 300; from += 50) {
      await take(running, '/api/v1/records', toBatch(toPairs(epoch, from, from + 50, 2, 0.5)))
      await take(running, '/truth', toZeros(from, from + 50))
      const race = await raceOf(running)
      assert.equal(race.verdict.labels, from + 50)
      assert.equal(race.decision === null, from + 50 < 100)
    }
    const race = await raceOf(running)
    assert.equal(race.verdict.state, 'promote-B')
    assert.match(race.verdict.reason, /^b is better: its squared error is/)
    assert.equal(race.decision?.labels, 100)
    assert.equal(race.drift, false)
    assert.ok(race.verdict.lower !== null && race.verdict.lower > 0)
    const series = SCHEMAS.RaceSeries.parse((await running.json('GET', '/api/v1/race/series')).body)
    assert.deepEqual(series.points.map(point => point.n).slice(-3), [200, 250, 300])
    await running.stop()
    const later = await place.start()
    assert.deepEqual(await raceOf(later), race)
    const rebuilt = SCHEMAS.RaceSeries.parse((await later.json('GET', '/api/v1/race/series')).body)
    assert.equal(rebuilt.points.at(-1)?.n, 300)
    assert.ok(rebuilt.points.length > 50)
  })

  it('raises drift instead of flipping when the data turn', async () => {
    const running = await place.start()
    const epoch = await startRace(running)
    await take(running, '/api/v1/records', toBatch(toPairs(epoch, 0, 200, 2, 0.5)))
    await take(running, '/truth', toZeros(0, 200))
    assert.equal((await raceOf(running)).verdict.state, 'promote-B')
    await take(running, '/api/v1/records', toBatch(toPairs(epoch, 200, 1400, 0.5, 3)))
    await take(running, '/truth', toZeros(200, 1400))
    const race = await raceOf(running)
    assert.equal(race.drift, true)
    assert.equal(race.verdict.state, 'promote-B')
    assert.ok(race.verdict.upper !== null && race.verdict.upper < 0)
    assert.match(race.verdict.reason, /contradict/)
    assert.match(await (await running.call('/metrics')).text(), /^regatta_race_drift\{race="1"\} 1$/m)
  })

  it('names no winner between a model and its copy, and says why', async () => {
    const running = await place.start()
    const epoch = await startRace(running)
    await take(running, '/api/v1/records', toBatch(toPairs(epoch, 0, 1000, 1, 1)))
    await take(running, '/truth', toZeros(0, 1000))
    const { verdict, decision } = await raceOf(running)
    assert.equal(verdict.state, 'keep-racing')
    assert.equal(decision, null)
    assert.deepEqual([verdict.estimate, verdict.se], [0, 0])
    assert.match(verdict.reason, /a and b gave the same loss on all 1000 labels: there is no difference to judge/)
  })

  it('cannot decide about forecasts of one series early, and says so', async () => {
    const running = await place.start({ task: 'forecast' })
    const epoch = await startRace(running)
    const walk = toPairs(epoch, 0, 400, 2, 0.5)
    await take(running, '/api/v1/records', toBatch(walk))
    await take(running, '/truth', toZeros(0, 400))
    const { verdict, design } = await raceOf(running)
    assert.equal(design, 'dependent')
    assert.equal(verdict.state, 'warming-up')
    assert.match(verdict.reason, /cannot decide/)
  })

  it('judges a split by the answers that clients got', async () => {
    const running = await place.start()
    const epoch = await startRace(running, { challenger: { mode: 'split', weight: 0.5 } })
    const records = Array.from({ length: 600 }, (_, at) =>
      toRecord(at, 1 + (at % 2), (at % 2 === 0 ? 2 : 0.5) + noise(at), { epoch, propensity: 0.5 }),
    )
    await take(running, '/api/v1/records', toBatch(records))
    await take(running, '/truth', toZeros(0, 600))
    const race = await raceOf(running)
    assert.equal(race.design, 'split')
    assert.deepEqual(
      race.variants.map(arm => arm.labels),
      [300, 300],
    )
    assert.equal(race.verdict.state, 'promote-B')
  })
})

describe('GET /api/v1/predictions/{id}', () => {
  it('follows a prediction to image, run, parameters, data and commit', async () => {
    const running = await place.start()
    const run = await runForTrace(place, { hidden: 100 })
    const digest = await place.addImage(1, { 'dev.regatta.run': run.digest })
    await take(running, '/api/v1/deploy', { version: 1, digest })
    await take(
      running,
      '/api/v1/records',
      toBatch([toRecord(7, 1, 3, { rows: [{ prediction: 3 }, { prediction: 4 }] })]),
    )
    await take(running, '/truth', { prediction: `${toRequestId(7)}/1`, value: 6 })
    const row = SCHEMAS.Trace.parse((await running.json('GET', `/api/v1/predictions/${toRequestId(7)}/1`)).body)
    assert.equal(row.prediction, `${toRequestId(7)}/1`)
    assert.deepEqual(row.truth, { value: 6, revision: 0 })
    const [answer] = row.answers
    assert.deepEqual(answer && { ...answer, replica: '' }, {
      variant: 'a',
      served: true,
      version: 1,
      replica: '',
      prediction: 4,
      loss: null,
      latencyMs: 1.5,
      image: digest,
      run: run.digest,
      runId: run.record.id,
      params: { hidden: 100 },
      data: run.record.data.map(({ path, digest }) => ({ path, digest })),
      git: run.record.git,
    })
    const first = SCHEMAS.Trace.parse((await running.json('GET', `/api/v1/predictions/${toRequestId(7)}`)).body)
    assert.deepEqual([first.answers[0]?.prediction, first.truth], [3, null])
  })

  it('gives the served answer first, and says what a model without a run lacks', async () => {
    const running = await place.start()
    const epoch = await startRace(running)
    await take(running, '/api/v1/records', toBatch(toPairs(epoch, 0, 1, 1, 2).reverse()))
    await take(running, '/truth', toZeros(0, 1))
    const trace = SCHEMAS.Trace.parse((await running.json('GET', `/api/v1/predictions/${toRequestId(0)}`)).body)
    assert.deepEqual(
      trace.answers.map(({ variant, served, run }) => [variant, served, run]),
      [
        ['a', true, null],
        ['b', false, null],
      ],
    )
    assert.deepEqual(
      trace.answers.map(({ loss }) => loss !== null),
      [true, true],
    )
  })

  const rows: [path: string, status: number, code: string][] = [
    [`/api/v1/predictions/${toRequestId(5)}`, 404, 'PREDICTION_UNKNOWN'],
    ['/api/v1/predictions/x', 400, 'PREDICTION_ID'],
    [`/api/v1/predictions/${toRequestId(5)}/x`, 400, 'PREDICTION_ID'],
  ]
  for (const [path, status, code] of rows) {
    it(`answers ${code} to ${path}`, async () => {
      const running = await place.start()
      const answer = await running.json('GET', path)
      assert.deepEqual([answer.status, SCHEMAS.Error.parse(answer.body).error.code], [status, code])
    })
  }
})
