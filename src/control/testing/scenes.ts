import assert from 'node:assert/strict'
import type { PredictionRecord } from '../../core/wire/records.ts'
import { type Evidence, judgeRace, toEmptyOrdered, type Verdict } from '../../judge/index.ts'
import { toUniform } from '../../judge/testing/random.ts'
import type { NewRace, RaceSpec, Store, Truth } from '../../store/index.ts'
import { NOON, spec, startRace, toPair, toRecord, toRequest, toTruth } from '../../store/testing/place.ts'
import { toEvidence } from '../race/evidence.ts'
import { follow } from '../race/following.ts'
import { toRaceRule } from '../race/rule.ts'

/* Races of every design, run in a database and judged there. */

const HOUR_MS = 3_600_000
/** The numbers of a scene's requests. */
export const SERIES = Array.from({ length: 1200 }, (_, n) => n)
/** Deterministic noise, −1 to 1. */
const noise = (n: number, salt: number): number => Math.sin(n * 12.9898 + salt * 78.233)
/** What happens where a scene says nothing else. */
export const truthOf = (n: number): number => 10 + 3 * noise(n, 1)
const answerOf = (n: number, variant: number): number =>
  truthOf(n) + noise(n, 2) + (0.3 + variant) * noise(n, 2 + variant)

/** A race, and what comes in. */
export interface Scene {
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
const PAIRS = { design: 'paired', spec: {}, toMore: none, wanted: 'paired' } as const
const SERIES_PAIRS = { ...PAIRS, toMore: ofSeries, wanted: 'dependent' } as const
const SPLIT = { design: 'split', spec: {}, toMore: none, wanted: 'epochs' } as const
const BY_ENTITY = { toMore: ofEntity, wanted: 'clustered' } as const
const WMAPE = { kind: 'wmape' } as const

/** A race of every design. */
export const SCENES: readonly Scene[] = [
  { ...PAIRS, name: 'pairs' },
  { ...PAIRS, name: 'pairs by wmape', spec: { loss: WMAPE } },
  { ...PAIRS, name: 'pairs with a cap', spec: { cap: 0.9 } },
  { ...PAIRS, ...BY_ENTITY, name: 'pairs by entity' },
  { ...PAIRS, ...BY_ENTITY, name: 'pairs by entity and wmape', spec: { loss: WMAPE } },
  { ...SERIES_PAIRS, name: 'a series', spec: { task: 'forecast' } },
  { ...SERIES_PAIRS, name: 'a series with a season and wmape', spec: { task: 'forecast', season: 24, loss: WMAPE } },
  { ...SERIES_PAIRS, name: 'a series with a season and a cap', spec: { task: 'forecast', season: 24, cap: 0.95 } },
  {
    ...PAIRS,
    name: 'exact bounds',
    spec: { task: 'classification', loss: { kind: 'brier' }, strict: true },
    truths: n => Number(noise(n, 1) > 0),
    answers: (n, variant) => 0.5 + 0.3 * noise(n, 1) + 0.1 * noise(n, 2 + variant),
    wanted: 'bounded',
  },
  { ...PAIRS, name: 'exact bounds of a capped loss', spec: { strict: true, cap: 0.9 }, wanted: 'bounded' },
  { ...SPLIT, name: 'a split' },
  { ...SPLIT, name: 'a split by wmape', spec: { loss: WMAPE } },
  { ...SPLIT, name: 'a split with a cap', spec: { cap: 0.9 } },
  { ...SPLIT, ...BY_ENTITY, name: 'a split by entity' },
  { ...SPLIT, ...BY_ENTITY, name: 'a split by entity and wmape', spec: { loss: WMAPE } },
  { ...SPLIT, name: 'a split with a covariate', toMore: n => ({ covariate: noise(n, 2) ** 2 }), wanted: 'adjusted' },
]

/** Requests of the first half are of epoch 1, the others of epoch 2, where B has another share. */
const epochOf = (n: number, { design }: Scene): 1 | 2 => (design === 'split' && n >= 600 ? 2 : 1)
/** Shares of the variants of a split, by epoch. */
export const WEIGHTS = { 1: { a: 0.75, b: 0.25 }, 2: { a: 0.5, b: 0.5 } } as const

/** Entities stay with their variant within an epoch. */
function isOfB(n: number, scene: Scene): boolean {
  const { entity } = scene.toMore(n)
  const share = epochOf(n, scene) === 1 ? 4 : 2
  return Number(entity === undefined ? n * 13 : entity.slice(1)) % share === 0
}

/** What the variants answer to request n. */
export function toRecords(n: number, scene: Scene): readonly PredictionRecord[] {
  const { entity, ...row } = scene.toMore(n)
  const answers = scene.answers ?? answerOf
  const [a, b] = toPair(n, answers(n, 1), answers(n, 2)).map(record => ({
    ...record,
    ...(entity !== undefined && { entity }),
    rows: record.rows.map(one => ({ ...one, ...row })),
  }))
  if (a === undefined || b === undefined) return []
  if (scene.design === 'paired') return [a, b]
  const [epoch, ofB] = [epochOf(n, scene), isOfB(n, scene)]
  const { rows, variant } = ofB ? b : a
  return [toRecord({ ...a, rows, variant, epoch, propensity: WEIGHTS[epoch][ofB ? 'b' : 'a'] })]
}

/** Runs a scene in a database, and says how it is judged there. */
export async function judgeLive(store: Store, scene: Scene, truths: readonly Truth[]): Promise<Verdict> {
  return (await lookLive(store, scene, truths)).verdict
}

/** The same, with what it is judged by. */
export async function lookLive(
  store: Store,
  scene: Scene,
  truths: readonly Truth[],
): Promise<{ readonly evidence: Evidence; readonly verdict: Verdict }> {
  const race = await startRace(store, { design: scene.design, spec: { ...spec, ...scene.spec } })
  await store.openEpoch({ epoch: 2, startedAt: NOON, weights: { 1: 0.5, 2: 0.5 } })
  await store.addPredictions(SERIES.flatMap(n => toRecords(n, scene)))
  await store.addTruths(truths, NOON)
  const stored = (await store.readRaces()).find(({ id }) => id === race) ?? assert.fail()
  const empty = scene.design === 'paired' ? toEmptyOrdered(stored.spec) : undefined
  const followed = empty === undefined ? [] : await follow(store, race, empty, [])
  const evidence = toEvidence(stored, { sums: await store.readSums(race), ordered: followed.at(-1)?.state })
  return { evidence, verdict: judgeRace(toRaceRule(stored, 1), evidence) }
}

/** Runs a split in a database whose entities only rows tell, so that each request is drawn anew, and judges it there. */
export async function judgeRowEntities(store: Store, seed: number): Promise<Verdict> {
  const race = await startRace(store, { design: 'split' })
  const uniform = toUniform(seed)
  await store.addPredictions(
    SERIES.map(n => {
      const rows = [{ prediction: uniform(), entity: `e${n % 97}` }]
      const drawn = uniform() < 0.25 ? { variant: 2, propensity: 0.25 } : { variant: 1, propensity: 0.75 }
      return toRecord({ request: toRequest(n), rows, ...drawn })
    }),
  )
  await store.addTruths(
    SERIES.map(n => toTruth(n, 0)),
    NOON,
  )
  const [stored = assert.fail()] = await store.readRaces()
  const evidence = toEvidence(stored, { sums: await store.readSums(race), ordered: undefined })
  return judgeRace(toRaceRule(stored, 1), evidence)
}
