import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PredictionRecord } from '../core/wire/records.ts'
import { judgeRace, parseOutcomeRow, Replay, toEmptyOrdered, type Verdict } from '../judge/index.ts'
import type { NewRace, RaceSpec, Store, Truth } from '../store/index.ts'
import { makeStore, NOON, spec, startRace, toPair, toRecord, toTruth } from '../store/testing/place.ts'
import { follow } from './following.ts'
import { toEvidence } from './race-evidence.ts'
import { toRaceRule } from './race-rule.ts'

const HOUR_MS = 3_600_000
const SERIES = Array.from({ length: 1200 }, (_, n) => n)
/** Deterministic noise, −1 to 1. */
const noise = (n: number, salt: number): number => Math.sin(n * 12.9898 + salt * 78.233)
const truthOf = (n: number): number => 10 + 3 * noise(n, 1)
const answerOf = (n: number, variant: number): number =>
  truthOf(n) + noise(n, 2) + (0.3 + variant) * noise(n, 2 + variant)

interface Scene {
  readonly name: string
  readonly design: NewRace['design']
  readonly spec: Partial<RaceSpec>
  /** What request n has beside its predictions. */
  readonly toMore: (n: number) => Pick<PredictionRecord, 'entity'> & Partial<PredictionRecord['rows'][number]>
  readonly truths?: (n: number) => Truth['value']
  readonly answers?: (n: number, variant: number) => number
  readonly wanted: Verdict['design']
}

const none = () => ({})
const ofEntity = (n: number) => ({ entity: `e${(n * 7) % 331}` })
const ofSeries = (n: number) => ({ series: 's', at: NOON + n * HOUR_MS })
const SCENES: readonly Scene[] = [
  { name: 'pairs', design: 'paired', spec: {}, toMore: none, wanted: 'paired' },
  { name: 'pairs by wmape', design: 'paired', spec: { loss: { kind: 'wmape' } }, toMore: none, wanted: 'paired' },
  { name: 'pairs with a cap', design: 'paired', spec: { cap: 0.9 }, toMore: none, wanted: 'paired' },
  { name: 'pairs by entity', design: 'paired', spec: {}, toMore: ofEntity, wanted: 'clustered' },
  {
    name: 'pairs by entity and wmape',
    ...{ design: 'paired', spec: { loss: { kind: 'wmape' } }, toMore: ofEntity, wanted: 'clustered' },
  },
  { name: 'a series', design: 'paired', spec: { task: 'forecast' }, toMore: ofSeries, wanted: 'dependent' },
  {
    name: 'a series with a season and wmape',
    ...{ design: 'paired', spec: { task: 'forecast', season: 24, loss: { kind: 'wmape' } }, toMore: ofSeries },
    wanted: 'dependent',
  },
  {
    name: 'a series with a season and a cap',
    ...{ design: 'paired', spec: { task: 'forecast', season: 24, cap: 0.95 }, toMore: ofSeries, wanted: 'dependent' },
  },
  {
    name: 'exact bounds',
    ...{ design: 'paired', spec: { task: 'classification', loss: { kind: 'brier' }, strict: true }, toMore: none },
    truths: n => Number(noise(n, 1) > 0),
    answers: (n, variant) => 0.5 + 0.3 * noise(n, 1) + 0.1 * noise(n, 2 + variant),
    wanted: 'bounded',
  },
  {
    name: 'exact bounds of a capped loss',
    ...{ design: 'paired', spec: { strict: true, cap: 0.9 }, toMore: none, wanted: 'bounded' },
  },
  { name: 'a split', design: 'split', spec: {}, toMore: none, wanted: 'epochs' },
  { name: 'a split by wmape', design: 'split', spec: { loss: { kind: 'wmape' } }, toMore: none, wanted: 'epochs' },
  { name: 'a split with a cap', design: 'split', spec: { cap: 0.9 }, toMore: none, wanted: 'epochs' },
  { name: 'a split by entity', design: 'split', spec: {}, toMore: ofEntity, wanted: 'clustered' },
  {
    name: 'a split by entity and wmape',
    ...{ design: 'split', spec: { loss: { kind: 'wmape' } }, toMore: ofEntity, wanted: 'clustered' },
  },
  {
    name: 'a split with a covariate',
    ...{ design: 'split', spec: {}, toMore: n => ({ covariate: noise(n, 2) ** 2 }), wanted: 'adjusted' },
  },
]

/** Requests of the first half are of epoch 1, the others of epoch 2, where B has another share. */
const epochOf = (n: number, { design }: Scene): number => (design === 'split' && n >= 600 ? 2 : 1)
const WEIGHTS = { 1: { a: 0.75, b: 0.25 }, 2: { a: 0.5, b: 0.5 } }

/** Entities stay with their variant within an epoch. */
function isOfB(n: number, scene: Scene): boolean {
  const { entity } = scene.toMore(n)
  const share = epochOf(n, scene) === 1 ? 4 : 2
  return Number(entity === undefined ? n * 13 : entity.slice(1)) % share === 0
}

function toRecords(n: number, scene: Scene): readonly PredictionRecord[] {
  const { entity, ...row } = scene.toMore(n)
  const answers = scene.answers ?? answerOf
  const [a, b] = toPair(n, answers(n, 1), answers(n, 2)).map(record => ({
    ...record,
    ...(entity !== undefined && { entity }),
    rows: record.rows.map(one => ({ ...one, ...row })),
  }))
  if (a === undefined || b === undefined) return []
  if (scene.design === 'paired') return [a, b]
  const { rows, variant } = isOfB(n, scene) ? b : a
  return [toRecord({ ...a, rows, variant, epoch: epochOf(n, scene) })]
}

async function judgeLive(store: Store, scene: Scene, truths: readonly Truth[]): Promise<Verdict> {
  const race = await startRace(store, { design: scene.design, spec: { ...spec, ...scene.spec } })
  await store.openEpoch({ epoch: 2, startedAt: NOON, weights: { 1: 0.5, 2: 0.5 } })
  await store.addPredictions(SERIES.flatMap(n => toRecords(n, scene)))
  await store.addTruths(truths, NOON)
  const stored = (await store.readRaces()).find(({ id }) => id === race) ?? assert.fail()
  const empty = scene.design === 'paired' ? toEmptyOrdered(stored.spec) : undefined
  const followed = empty === undefined ? [] : await follow(store, race, empty, [])
  const [board, sums] = [await store.readScoreboard(race), await store.readSums(race)]
  return judgeRace(toRaceRule(stored, 1), toEvidence(stored, { board, sums, ordered: followed.at(-1)?.state }))
}

function judgeReplay(scene: Scene): Verdict {
  const settings = { ...spec, ...scene.spec }
  const replay = new Replay({ ...settings, cap: settings.cap, champion: 'a', spec: '' })
  for (const n of SERIES) {
    for (const { request, rows, variant, ...record } of toRecords(n, scene)) {
      const { prediction, series, at, covariate } = rows[0] ?? assert.fail()
      const truth = (scene.truths ?? truthOf)(n)
      const { epoch, entity } = record
      const split = scene.design === 'split' ? { epoch, weights: epoch === 1 ? WEIGHTS[1] : WEIGHTS[2] } : {}
      const row = {
        request,
        variant: variant === 1 ? 'a' : 'b',
        prediction,
        truth,
        entity,
        series,
        at,
        covariate,
        ...split,
      }
      for (const _ of replay.add(parseOutcomeRow(JSON.parse(JSON.stringify(row)), settings.loss)));
    }
  }
  for (const _ of replay.finish());
  return replay.verdict()
}

function assertClose(found: number | undefined, wanted: number | undefined, what: string): void {
  assert.ok(
    found !== undefined && wanted !== undefined && Math.abs(found - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted)),
    `${what}: live ${found}, replay ${wanted}`,
  )
}

describe('toEvidence()', () => {
  for (const scene of SCENES) {
    it(`judges ${scene.name} live as a replay does`, async () => {
      await using place = await makeStore()
      const truths = SERIES.map(n => toTruth(n, (scene.truths ?? truthOf)(n)))
      const [live, replay] = [await judgeLive(place.store, scene, truths), judgeReplay(scene)]
      assert.deepEqual([live.design, replay.design], [scene.wanted, scene.wanted])
      for (const key of ['n', 'estimate', 'se', 'lower', 'upper', 'logE', 'p'] as const) {
        assertClose(live[key], replay[key], key)
      }
      assert.ok(live.n > 100 && live.se > 0)
    })
  }

  it('judges labels of which some have an entity as single ones, and says where that cannot be', async () => {
    await using place = await makeStore()
    const scene: Scene = {
      ...{ name: 'some', design: 'paired', spec: {}, wanted: 'paired' },
      toMore: n => (n % 2 === 0 ? { entity: `e${n % 9}` } : {}),
    }
    const live = await judgeLive(
      place.store,
      scene,
      SERIES.map(n => toTruth(n, truthOf(n))),
    )
    assert.deepEqual([live.design, live.state], ['paired', 'warming-up'])
    assert.match(live.reason, /at most 5 % of the pairs for an entity that had one before wanted, 591 of 1200 found/)
  })
})
