import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PromoteResponseJson, RaceJson, StatusJson, TraceJson, TruthCountsJson } from '../src/control/index.ts'
import { type Answer, ask, askMany } from './testing/client.ts'
import { makePlace, type Place } from './testing/place.ts'

/** Rows of one part of the story: enough labels for a verdict where there is a difference. */
const LABELS = 300

describe('the story, verb by verb', () => {
  let place: Place
  let gateway = ''
  let digest = ''
  let last: Answer
  before(() => {
    place = makePlace(undefined, { fresh: true })
  })
  after(async () => await place[Symbol.asyncDispose]())

  /** Reports y = 2x + noise as the truth of the answers to x = from, from + 1, … */
  async function report(answers: readonly Answer[], from: number): Promise<TruthCountsJson> {
    const lines = answers.map(({ prediction }, index) => {
      const noise = Math.sin((from + index) * 12.9898) * 0.5
      return JSON.stringify({ prediction, value: 2 * (from + index) + noise })
    })
    const file = join(place.folder, 'truths.ndjson')
    writeFileSync(file, lines.join('\n'))
    return await place.json(['truth', file])
  }

  /** Waits until a race looks as wanted, at most 20 s: records and truths travel in batches. */
  async function untilRace(wanted: (race: RaceJson) => boolean): Promise<RaceJson> {
    const deadline = Date.now() + 20_000
    for (;;) {
      const { code, out } = await place.run(['race', '--json'])
      assert.ok(code === 0 || code === 3, out)
      const race = JSON.parse(out) as RaceJson
      if (wanted(race) || Date.now() > deadline) return race
      await sleep(200)
    }
  }

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
      digest = first.digest
    } finally {
      rmSync(copy, { recursive: true, force: true })
    }
  })

  it('deploy starts everything and ends when every replica is ready', async () => {
    const deployed = await place.json<{ gateway: string; ready: boolean; variant: string; role: string }>(['deploy'])
    assert.deepEqual([deployed.variant, deployed.role, deployed.ready], ['a', 'champion', true])
    gateway = deployed.gateway
    const status = await place.json<StatusJson>(['status'])
    assert.deepEqual(
      status.variants.flatMap(({ replicas }) => replicas.map(({ name, state }) => `${name} ${state}`)),
      ['a-1 ready', 'a-2 ready'],
    )
  })

  it('predict answers through the gateway', async () => {
    const file = join(place.folder, 'request.json')
    writeFileSync(file, JSON.stringify({ instances: [[21]] }))
    const answer = await place.json<{ body: unknown; variant: string }>(['predict', file])
    assert.deepEqual([answer.variant, answer.body], ['a', { predictions: [[21]] }])
  })

  it('race never names a winner between a model and its copy, and says why', async () => {
    await place.json(['deploy', '1', '--challenger', 'b', '--shadow'])
    const counts = await report(await askMany(gateway, 1000, LABELS), 1000)
    assert.equal(counts.new + counts.orphan, LABELS)
    const race = await untilRace(({ verdict }) => verdict.labels >= LABELS)
    assert.equal(race.verdict.labels, LABELS)
    assert.ok(['keep-racing', 'warming-up'].includes(race.verdict.state), race.verdict.state)
    assert.match(race.verdict.reason, /differ/)
    assert.equal(race.variants[0]?.meanLoss, race.variants[1]?.meanLoss)
  })

  it('race --watch ends with 130 where it is interrupted before there is a verdict', async () => {
    const { code, out } = await place.run(['race', '--watch'], { interruptAt: /keep-racing|warming-up/ })
    assert.equal(code, 130, out)
  })

  it('race promotes the challenger that is better', async () => {
    const run = await place.json<{ params: object }>(['train', '--set', 'weight=2'])
    assert.deepEqual(run.params, { weight: 2 })
    const packed = await place.json<{ version: number; layers: { kind: string; reused: boolean }[] }>(['pack'])
    assert.equal(packed.version, 2)
    for (const { kind, reused } of packed.layers) assert.equal(reused, kind === 'base' || kind === 'runtime', kind)
    await place.json(['deploy', '2', '--challenger', 'b', '--shadow'])
    await report(await askMany(gateway, 2000, LABELS), 2000)
    const race = await untilRace(({ verdict }) => verdict.state === 'promote-B')
    assert.equal(race.verdict.state, 'promote-B', race.verdict.reason)
    assert.ok((race.verdict.lower ?? -1) > 0)
  })

  it('promote and rollback swap the champion while requests flow, and none fails', async () => {
    const stop = new AbortController()
    const flow = (async () => {
      const seen = new Set<string>()
      for (let x = 5000; !stop.signal.aborted; x += 1) seen.add((await ask(gateway, x)).variant)
      return seen
    })()
    const promoted = await place.json<PromoteResponseJson>(['promote'])
    assert.deepEqual([promoted.champion, promoted.previous], ['b', 'a'])
    const back = await place.json<PromoteResponseJson>(['rollback'])
    assert.equal(back.champion, 'a')
    await place.json(['promote', 'b'])
    await sleep(300)
    stop.abort()
    assert.deepEqual(await flow, new Set(['a', 'b']))
    last = await ask(gateway, 7)
    assert.deepEqual(last.predictions, [[14]])
  })

  it('trace leads from a prediction to its params', async () => {
    const deadline = Date.now() + 10_000
    let found = await place.run(['trace', last.prediction, '--json'])
    while (found.code !== 0 && Date.now() < deadline) found = await place.run(['trace', last.prediction, '--json'])
    const { answers } = JSON.parse(found.out) as TraceJson
    const served = answers.find(answer => answer.served)
    assert.deepEqual([served?.variant, served?.version, served?.params], ['b', 2, { weight: 2 }])
    assert.notEqual(served?.image, digest)
    assert.match(served?.run ?? '', /^sha256:/)
  })

  it('logs, doctor and prune say what there is', async () => {
    const logs = await place.run(['logs', 'gateway'])
    assert.equal(logs.code, 0, logs.err)
    const doctor = await place.run(['doctor'])
    assert.equal(doctor.code, 0, doctor.out)
    const pruned = await place.json<{ done: boolean; rows: number }>(['prune'])
    assert.deepEqual([pruned.done, pruned.rows], [false, 0])
  })

  it('delete and down leave nothing that listens or lives', async () => {
    await place.json(['delete', '--yes'])
    assert.deepEqual((await place.json<StatusJson>(['status'])).variants, [])
    await place.json(['down'])
    assert.deepEqual(place.listProcesses(), [])
    await assert.rejects(fetch(gateway))
  })
})
