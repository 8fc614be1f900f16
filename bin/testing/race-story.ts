import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type {
  HistoryJson,
  PromoteResponseJson,
  RaceJson,
  StatusJson,
  TraceJson,
  TruthCountsJson,
} from '../../src/control/index.ts'
import { type Answer, ask, askMany } from './client.ts'
import type { Place } from './place.ts'

/** Rows of one part of the story: enough labels for a verdict where there is a difference. */
const LABELS = 300
/** Records, truths and routes travel in batches and streams, and a look at a race that took long is followed by a rest. */
const PATIENCE_MS = 120_000

/** Where the race is run: a project whose first version is packed, and pushed where the target pulls it from. */
export interface Stage {
  readonly target: 'local' | 'kubernetes'
  readonly place: Place
}

/**
 * Runs a race from the first deployment to a promotion, a rollback and a trace, by the command line alone. It is the same
 * for every target. Call it in a `describe`; the project is that of `toProjectYaml`, with two replicas.
 */
export function tellRace(stage: () => Stage): void {
  let gateway = ''
  let digest = ''
  let last: Answer
  const json = <document>(args: readonly string[]): Promise<document> => stage().place.json<document>(args)

  it('deploy starts everything and ends when every replica is ready', async () => {
    const deployed = await json<{ gateway: string; ready: boolean; variant: string; role: string }>([
      'deploy',
      '--reason',
      'the first',
    ])
    assert.deepEqual([deployed.variant, deployed.role, deployed.ready], ['a', 'champion', true])
    gateway = deployed.gateway
    const { target, variants } = await json<StatusJson>(['status'])
    assert.equal(target, stage().target)
    assert.deepEqual(
      variants.flatMap(({ replicas }) => replicas.map(({ state }) => state)),
      ['ready', 'ready'],
    )
    digest = variants[0]?.digest ?? ''
  })

  it('history has one entry of the first deployment', async () => {
    const { changes } = await json<HistoryJson>(['history'])
    assert.deepEqual(
      changes.map(({ by, kind, reason }) => [kind, /^.+@.+$/.test(by), reason]),
      [['deploy', true, 'the first']],
    )
  })

  it('predict answers through the gateway', async () => {
    const file = join(stage().place.folder, 'request.json')
    writeFileSync(file, JSON.stringify({ instances: [[21]] }))
    const answer = await json<{ body: unknown; variant: string }>(['predict', file])
    assert.deepEqual([answer.variant, answer.body], ['a', { predictions: [[21]] }])
  })

  it('race never names a winner between a model and its copy, and says why', async () => {
    await json(['deploy', '1', '--challenger', 'b', '--shadow'])
    const counts = await report(stage().place, await askMany(gateway, 1000, LABELS), 1000)
    assert.equal(counts.new + counts.orphan, LABELS)
    const race = await untilRace(stage().place, ({ verdict }) => verdict.labels >= LABELS)
    assert.equal(race.verdict.labels, LABELS)
    assert.ok(['keep-racing', 'warming-up'].includes(race.verdict.state), race.verdict.state)
    assert.match(race.verdict.reason, /differ/)
    assert.equal(race.variants[0]?.meanLoss, race.variants[1]?.meanLoss)
  })

  it('race --watch ends with 130 where it is interrupted before there is a verdict', async () => {
    const { code, out } = await stage().place.run(['race', '--watch'], { interruptAt: /keep-racing|warming-up/ })
    assert.equal(code, 130, out)
  })

  it('race promotes the challenger that is better', async () => {
    const run = await json<{ params: object }>(['train', '--set', 'weight=2'])
    assert.deepEqual(run.params, { weight: 2 })
    const packed = await json<{ version: number; layers: { kind: string; reused: boolean }[] }>(['pack'])
    assert.equal(packed.version, 2)
    for (const { kind, reused } of packed.layers) assert.equal(reused, kind === 'base' || kind === 'runtime', kind)
    if (stage().target === 'kubernetes') await json(['push'])
    await json(['deploy', '2', '--challenger', 'b', '--shadow'])
    await report(stage().place, await askMany(gateway, 2000, LABELS), 2000)
    const race = await untilRace(stage().place, ({ verdict }) => verdict.state === 'promote-B')
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
    const promoted = await json<PromoteResponseJson>(['promote'])
    assert.deepEqual([promoted.champion, promoted.previous], ['b', 'a'])
    const back = await json<PromoteResponseJson>(['rollback'])
    assert.equal(back.champion, 'a')
    await json(['promote', 'b'])
    last = await untilAnswered(gateway, 7, 'b')
    stop.abort()
    assert.deepEqual(await flow, new Set(['a', 'b']))
    assert.deepEqual(last.predictions, [[14]])
  })

  it('trace leads from a prediction to its params', async () => {
    const deadline = Date.now() + PATIENCE_MS
    const look = () => stage().place.run(['trace', last.prediction, '--json'])
    let found = await look()
    while (found.code !== 0 && Date.now() < deadline) found = await look()
    const { answers } = JSON.parse(found.out) as TraceJson
    const served = answers.find(answer => answer.served)
    assert.deepEqual([served?.variant, served?.version, served?.params], ['b', 2, { weight: 2 }])
    assert.notEqual(served?.image, digest)
    assert.match(served?.run ?? '', /^sha256:/)
  })

  it('rollback leads to any earlier champion, and history tells when, who and why', async () => {
    await json(['deploy', '1', '--reason', 'to see the old one'])
    const back = await json<PromoteResponseJson>(['rollback', '2', '--reason', 'it was worse'])
    assert.equal(back.version, 2)
    assert.deepEqual((await untilAnswered(gateway, 7, back.champion)).predictions, [[14]])
    const { changes } = await json<HistoryJson>(['history'])
    const [last, before] = changes
    assert.deepEqual(
      [last, before].map(change => change?.variants.find(({ role }) => role === 'champion')?.version),
      [2, 1],
    )
    assert.deepEqual([last?.reason, before?.reason], ['rollback to version 2: it was worse', 'to see the old one'])
    assert.match(last?.by ?? '', /^.+@.+$/)
    const kinds = changes.map(({ kind }) => kind)
    for (const kind of ['deploy', 'promote', 'rollback'] as const) assert.ok(kinds.includes(kind), kinds.join())
  })
}

/** Reports y = 2x + noise as the truth of the answers to x = from, from + 1, … */
async function report(place: Place, answers: readonly Answer[], from: number): Promise<TruthCountsJson> {
  const lines = answers.map(({ prediction }, index) => {
    const noise = Math.sin((from + index) * 12.9898) * 0.5
    return JSON.stringify({ prediction, value: 2 * (from + index) + noise })
  })
  const file = join(place.folder, 'truths.ndjson')
  writeFileSync(file, lines.join('\n'))
  return await place.json(['truth', file])
}

/** Waits until a race looks as wanted, and gives the last look otherwise. */
async function untilRace(place: Place, wanted: (race: RaceJson) => boolean): Promise<RaceJson> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const { code, out } = await place.run(['race', '--json'])
    assert.ok(code === 0 || code === 3, out)
    const race = JSON.parse(out) as RaceJson
    if (wanted(race) || Date.now() > deadline) return race
    await sleep(200)
  }
}

/** Asks until every gateway has heard who the champion is, and gives the answer. */
async function untilAnswered(gateway: string, x: number, variant: string): Promise<Answer> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const answers = await Promise.all([ask(gateway, x), ask(gateway, x), ask(gateway, x), ask(gateway, x)])
    const [first] = answers
    if (first !== undefined && answers.every(answer => answer.variant === variant)) return first
    assert.ok(Date.now() < deadline, `${variant} does not answer`)
  }
}
