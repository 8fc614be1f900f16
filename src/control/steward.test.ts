import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RaceConfig } from '../config/index.ts'
import { until } from '../core/testing/wait.ts'
import { toUuidV7 } from '../core/uuid.ts'
import type { RaceJson } from './api/race.ts'
import { SCHEMAS } from './api/schemas.ts'
import type { StatusJson } from './api/status.ts'
import { Place, type Running, toBatch, toRecord, toRequestId } from './testing/place.ts'

/* What control does about races by itself, from records and truths to the routes. */

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
let place: Place
let laterMs: number
beforeEach(async () => {
  place = await Place.open()
  laterMs = 0
})
afterEach(async () => await place[Symbol.asyncDispose]())

/** Champion a and challenger b in shadow, under a clock that can be put on. */
async function race(config: Partial<RaceConfig>): Promise<Running> {
  const clock = (): number => Date.now() + laterMs
  const running = await place.start(config, { raceIdleMs: 20 }, () => {}, { clock })
  for (const body of [{ version: 1 }, { version: 2, variant: 'b', challenger: { mode: 'shadow' } }]) {
    const digest = await place.addImage(body.version)
    assert.equal((await running.json('POST', '/api/v1/deploy', { ...body, digest })).status, 200)
  }
  return running
}

/** Requests `from` to `to` with their truths of 0; what b answers is off by `off`, what a answers by 3. */
async function report(
  running: Running,
  from: number,
  to: number,
  off: number,
  toRequest: (at: number) => string = toRequestId,
): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, at) => from + at)
  const { epoch } = await statusOf(running)
  const records = numbers.flatMap(at => [
    toRecord(at, 1, 3 + Math.sin(at), { epoch, request: toRequest(at) }),
    toRecord(at, 2, off + Math.sin(at * 7), { epoch, request: toRequest(at), served: false }),
  ])
  const truths = numbers.map(at => ({ prediction: toRequest(at), value: 0 }))
  for (const [path, body] of [
    ['/api/v1/records', toBatch(records)],
    ['/truth', truths],
  ] as const)
    assert.equal((await running.json('POST', path, body)).status, 200)
}

async function raceOf(running: Running): Promise<RaceJson> {
  return SCHEMAS.Race.parse((await running.json('GET', '/api/v1/race')).body)
}

async function statusOf(running: Running): Promise<StatusJson> {
  return SCHEMAS.Status.parse((await running.json('GET', '/api/v1/status')).body)
}

/** The members of the routes: `a champion, b shadow`. */
async function rolesOf(running: Running): Promise<string> {
  return (await statusOf(running)).variants.map(({ name, role }) => `${name} ${role}`).join(', ')
}

async function waitDays(): Promise<void> {
  // So that time alone is what makes control look again.
  await sleep(100)
  laterMs = 15 * DAY_MS
}

/** Reads an answer that streams up to what is wanted. */
async function readUpTo({ body }: Response, wanted: RegExp): Promise<void> {
  let text = ''
  for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    if (wanted.test(text)) return
  }
  assert.fail(text)
}

describe('control', () => {
  it('promotes by itself what is better, once the gates let it, and tells everybody', async () => {
    const running = await race({ promote: 'auto' })
    const events = await running.call('/api/v1/events')
    await report(running, 0, 99, 0)
    assert.deepEqual(
      [(await raceOf(running)).verdict.state, await rolesOf(running)],
      ['warming-up', 'a champion, b shadow'],
    )
    await report(running, 99, 100, 0)
    await until(async () => (await rolesOf(running)) === 'b champion, a standby')
    const { ended, events: done } = await raceOf(running)
    assert.deepEqual([ended?.how, done.map(({ kind }) => kind)], ['promoted', ['promoted']])
    await readUpTo(events, /event: race-event\ndata: \{.*"kind":"promoted"/)
  })

  it('leaves a promotion to whoever asks for it', async () => {
    const running = await race({ promote: 'ask' })
    await report(running, 0, 300, 0)
    assert.equal((await raceOf(running)).verdict.state, 'promote-B')
    assert.equal(await rolesOf(running), 'a champion, b shadow')
  })

  for (const [name, budget, spend] of [
    ['labels', { labels: 150, days: undefined }, (running: Running) => report(running, 120, 150, 3)],
    ['days', { labels: undefined, days: 14 }, waitDays],
  ] as const) {
    it(`ends a race whose ${name} are spent, which is inconclusive, and takes the challenger back`, async () => {
      const running = await race({ budget })
      await report(running, 0, 120, 3)
      assert.equal((await raceOf(running)).verdict.state, 'keep-racing')
      await spend(running)
      await until(async () => (await rolesOf(running)) === 'a champion')
      const { ended, events, verdict } = await raceOf(running)
      assert.deepEqual(
        [ended?.how, events.map(({ kind }) => kind), verdict.state],
        ['spent', ['spent'], 'inconclusive'],
      )
      assert.match(verdict.reason, /^The race has spent its budget before it could decide: /)
    })
  }

  it('judges what was too young to be judged once it is old enough', async () => {
    const running = await race({ maturityMs: 36 * HOUR_MS })
    const now = Date.now()
    await report(running, 0, 120, 0, at => toUuidV7(now, new Uint8Array(16).fill(at)))
    const young = await raceOf(running)
    assert.deepEqual([young.verdict.labels, young.variants[0]?.maturity.provisional.labels], [0, 120])
    laterMs = 38 * HOUR_MS
    await until(async () => (await raceOf(running)).verdict.labels === 120)
    const { variants, verdict } = await raceOf(running)
    assert.deepEqual([verdict.state, variants[0]?.maturity.provisional.labels], ['promote-B', 0])
  })
})
