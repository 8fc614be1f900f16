import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  makeStore,
  NOON,
  spec,
  startRace,
  toObservation,
  toPair,
  toRecord,
  toRequest,
  toTruth,
} from '../testing/place.ts'
import { assertNear } from '../testing/recount.ts'
import { toDurationMs } from './durations.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

describe('readSums()', () => {
  it('sums labels and losses per entity, whatever was revised', async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store, { design: 'split' })
    const entities = ['ann', 'ann', 'ann', 'bob', 'bob', 'cat']
    await store.addPredictions(
      entities.map((entity, n) => toRecord({ request: toRequest(n), entity, rows: [{ prediction: n }] })),
    )
    await store.addTruths([...numbers(5).map(n => toTruth(n, 0)), toTruth(5, 1e9)], NOON)
    await store.addTruths([toTruth(5, 0, { revision: 1 }), toTruth(1, 1, { revision: 1 })], NOON)
    // Labels 3, 2, 1 and losses 0+0+4, 9+16, 25.
    const [arm] = (await store.readSums(race)).arms
    const { count, meanX, meanY, m2X, m2Y, xy } = arm?.clusters ?? assert.fail()
    assert.deepEqual([count, meanX, m2X], [3, 2, 2])
    assertNear(meanY, 18)
    assertNear(m2Y, 14 ** 2 + 7 ** 2 + 7 ** 2)
    assertNear(xy, -14 - 7)
  })

  it('sums a covariate with the loss, and the size of the truth with it', async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store, { design: 'split', spec: { ...spec, loss: { kind: 'absolute' } } })
    const rows = (n: number) => [{ prediction: 0, covariate: n * 2 }]
    await store.addPredictions(numbers(4).map(n => toRecord({ request: toRequest(n), rows: rows(n) })))
    await store.addTruths(
      numbers(4).map(n => toTruth(n, -n)),
      NOON,
    )
    const [arm] = (await store.readSums(race)).arms
    const { covariate, ratio } = arm ?? assert.fail()
    assert.deepEqual([covariate.count, covariate.meanX, covariate.meanY, covariate.m2X], [4, 3, 1.5, 20])
    assertNear(covariate.xy, 10)
    assert.deepEqual([ratio.count, ratio.meanX, ratio.meanY, ratio.xy], [4, 1.5, 1.5, 5])
  })

  it('counts wins, ties and losses of pairs, errors, and how long answers took', async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store)
    await store.addPredictions([
      ...[...toPair(0, 2, 1), ...toPair(1, 1, 1), ...toPair(2, 1, 3), ...toPair(3, 5, 0)],
      toRecord({ request: toRequest(9), status: 503, error: 'no answer', rows: [] }),
    ])
    await store.addTruths(
      numbers(4).map(n => toTruth(n, 0)),
      NOON + 3_600_000,
    )
    const { discordant, paired, wins } = await store.readScoreboard(race)
    assert.deepEqual([paired.count, discordant, wins], [4, 3, 2])
    const [a, b] = (await store.readSums(race)).arms
    assert.deepEqual([a?.answers, a?.errors, b?.answers, b?.errors], [5, 1, 4, 0])
    const durations = await store.readDurations(race)
    const find = (name: string) => durations.find(one => one.variant === 1 && one.name === name)?.buckets ?? []
    const latency = toDurationMs(find('latency'), 0.5) ?? Number.NaN
    const lateness = toDurationMs(find('lateness'), 0.99) ?? Number.NaN
    assert.ok(Math.abs(latency / 1.5 - 1) < 0.1, `${latency}`)
    assert.ok(Math.abs(lateness / 3_600_000 - 1) < 0.1, `${lateness}`)
  })

  it('is of the instant of its scoreboard, whatever comes in beside', async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store)
    await store.addPredictions(
      numbers(20).flatMap(n => toPair(n, n, 0).map(record => ({ ...record, entity: `e${n}` }))),
    )
    const seen = await Promise.all(
      numbers(20).map(
        async n => (await Promise.all([store.readSums(race), store.addTruths([toTruth(n, 0)], NOON)]))[0],
      ),
    )
    const last = await store.readSums(race)
    assert.equal(last.board.paired.count, 20)
    for (const { board, pairClusters } of [...seen, last]) assert.equal(pairClusters.labels, board.paired.count)
  })

  it('says what of the mature predictions has a truth', async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store)
    const hour = 3_600_000
    await store.addPredictions(numbers(4).flatMap(n => toPair(n, 1, 2, NOON + n * hour)))
    await store.addTruths([toTruth(0, 0, { at: NOON }), toTruth(3, 0, { at: NOON + 3 * hour })], NOON)
    const [a, b] = await store.readMaturity(race, NOON + 2 * hour)
    assert.deepEqual(a, { epoch: 1, variant: 1, predictions: 2, labelled: 1 })
    assert.deepEqual(b, { epoch: 1, variant: 2, predictions: 2, labelled: 1 })
  })
})

describe('readDifferencesAfter()', () => {
  it('gives only what is new, and begins anew where something before it has changed', async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store)
    const at = (n: number): number => NOON + n * 1000
    await store.addPredictions(numbers(6).flatMap(n => toPair(n, n, 0, at(n))))
    const know = async (...some: number[]): Promise<void> =>
      void (await store.addTruths(
        some.map(n => toTruth(n, 0, { at: at(n) })),
        NOON,
      ))
    await know(1, 2)
    const first = await store.readDifferencesAfter(race, [])
    assert.deepEqual([[...first.differences], first.from, first.isLast], [[1, 4], undefined, true])
    await know(4, 3)
    const second = await store.readDifferencesAfter(race, [first.cursor])
    assert.deepEqual([[...second.differences], second.from], [[9, 16], 0])
    const none = await store.readDifferencesAfter(race, [second.cursor])
    assert.deepEqual([[...none.differences], none.from], [[], 0])
    await know(0)
    const late = await store.readDifferencesAfter(race, [none.cursor])
    assert.deepEqual([[...late.differences], late.from], [[0, 1, 4, 9, 16], undefined])
    const two = await store.readDifferencesAfter(race, [first.cursor, late.cursor])
    assert.deepEqual([[...two.differences], two.from], [[], 1])
    await store.addTruths([toTruth(4, 1, { at: at(4), revision: 1 })], NOON)
    await know(5)
    const revised = await store.readDifferencesAfter(race, [late.cursor])
    assert.deepEqual([[...revised.differences], revised.from], [[0, 1, 4, 9, 8, 25], undefined])
    // Whoever had not come so far reads on, but for what came before.
    const { change } = late.cursor
    const behind = await store.readDifferencesAfter(race, [{ ...first.cursor, change }, late.cursor])
    assert.deepEqual([[...behind.differences], behind.from], [[9, 8, 25], 0])
    assert.equal((await store.readDifferencesAfter(race, [first.cursor])).from, undefined)
  })

  it('gives the weights of a loss per size of the truth', async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store, { spec: { ...spec, loss: { kind: 'wmape' } } })
    await store.addPredictions(numbers(3).flatMap(n => toPair(n, 0, 1)))
    await store.addTruths([toTruth(0, -2), toTruth(1, 3), toTruth(2, 4)], NOON)
    await store.addTruths([toTruth(2, 5, { revision: 1 })], NOON)
    const page = await store.readDifferencesAfter(race, [])
    assert.deepEqual(
      [[...page.differences], [...page.weights]],
      [
        [-1, 1, 1],
        [2, 3, 5],
      ],
    )
  })
})

describe('the sums of pairs by entity', () => {
  const entities = ['ann', 'ann', 'bob', 'bob', 'cat']
  const pairs = (epochs: number[] = [1]) =>
    entities.flatMap((entity, n) =>
      toPair(n, n, 0).map(record => ({ ...record, entity, epoch: epochs[n % epochs.length] ?? 1 })),
    )

  it('count an entity once, in whichever epochs it came, and follow revisions', async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store)
    await store.openEpoch({ epoch: 2, startedAt: NOON, weights: { 1: 1, 2: 0 } })
    await store.addPredictions(pairs([1, 2]))
    await store.addTruths(
      numbers(5).map(n => toTruth(n, 0)),
      NOON,
    )
    await store.addTruths([toTruth(4, 4, { revision: 1 })], NOON)
    // Differences 0+1, 4+9, and 0-16 after the revision.
    const { count, events, labels, meanX, meanY } = (await store.readSums(race)).pairClusters
    assert.deepEqual([count, labels, events], [3, 5, 3])
    assertNear(meanX * 3, 5)
    assertNear(meanY * 3, 1 + 13 - 16)
  })

  it('weigh labels by the size of the truth where the loss is one per size', async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store, { spec: { ...spec, loss: { kind: 'wmape' } } })
    await store.addPredictions(pairs())
    await store.addTruths(
      numbers(5).map(n => toTruth(n, n * 10)),
      NOON,
    )
    const { pairClusters, pairRatio } = await store.readSums(race)
    assertNear(pairClusters.meanX * 3, 100)
    assertNear(pairRatio.meanX * 5, 100)
    assert.ok(pairClusters.far > 0 && pairClusters.far <= pairClusters.m2Y * 2)
  })
})

describe('readOutcomes()', () => {
  it('gives every outcome once, in pages', async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store)
    const rows = [{ prediction: 3, series: 's', at: 7, entity: 'ann', covariate: 0.5 }]
    await store.addPredictions([...numbers(5).flatMap(n => toPair(n, n, 0)), toRecord({ request: toRequest(7), rows })])
    await store.addTruths([...numbers(4).map(n => toTruth(n, 1)), toObservation('s', 7, 'cat')], NOON)
    const found = []
    for (let cursor = (await store.readOutcomes(race, undefined, 2)).at(-1), page = 0; page < 9; page++) {
      if (page === 0) found.push(...(await store.readOutcomes(race, undefined, 2)))
      const next = await store.readOutcomes(race, cursor, 2)
      found.push(...next)
      cursor = next.at(-1) ?? cursor
    }
    assert.deepEqual(
      found.map(({ request, variant }) => `${request} ${variant}`),
      [...[0, 0, 1, 1, 2, 2, 3, 3].map((n, at) => `${toRequest(n)} ${(at % 2) + 1}`), `${toRequest(7)} 1`],
    )
    const { entity, loss, prediction, series, targetAt, truth } = found.at(-1) ?? assert.fail()
    assert.deepEqual([loss, prediction, series, targetAt, truth, entity?.length], [undefined, 3, 's', 7, 'cat', 22])
    assert.deepEqual([found.at(-1)?.covariate, found[4]?.covariate], [0.5, undefined])
    assert.deepEqual([found[4]?.champion, found[5]?.champion], [true, false])
    assert.deepEqual([found[4]?.input, found[4]?.output], [undefined, undefined])
    assert.deepEqual([found[4]?.loss, found[4]?.served, found[4]?.latencyUs, found[4]?.at], [1, true, 1500, NOON])
  })
})

describe('rows that are logged', () => {
  it('come with the outcomes of every variant, and go when they are pruned', async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store)
    const input = { text: 'with\0nothing', list: [1, null] }
    const [a, b] = toPair(1, 1, 2)
    const logged = [
      { ...(a ?? assert.fail()), rows: [{ prediction: 1, input, output: [1] }] },
      { ...(b ?? assert.fail()), rows: [{ prediction: 2, output: [2] }] },
    ]
    await store.addPredictions(logged)
    await store.addPredictions(logged)
    await store.addTruths([toTruth(1, 0)], NOON)
    const found = await store.readOutcomes(race, undefined, 9)
    assert.deepEqual(
      found.map(({ input, output }) => [JSON.parse(input ?? ''), output]),
      [
        [input, '[1]'],
        [input, '[2]'],
      ],
    )
    const rows = 2 + 2 + 1 + 2
    assert.equal((await store.prune(NOON + 86_400_000, true)).rows, rows)
    assert.equal((await store.prune(NOON + 86_400_000, false)).rows, rows)
  })
})

describe('the store, on a bad day,', () => {
  it('counts losses that are not finite as refused', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store, { spec: { ...spec, loss: { kind: 'absolute' } } })
    await place.store.addPredictions(toPair(1, -1.7e308, 1))
    await place.store.addTruths([toTruth(1, 1.7e308)], NOON)
    const { arms, paired, refused } = await place.store.readScoreboard(race)
    assert.deepEqual([arms[0].loss.count, arms[1].loss.count, paired.count, refused], [0, 0, 0, 2])
  })

  it('keeps a decision when the truth it came from is revised, and shows what the data say now', async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store)
    await store.addPredictions(toPair(1, 1, 2))
    await store.addTruths([toTruth(1, 1)], NOON)
    const said = {
      n: 1,
      estimate: -1,
      se: 0.1,
      lower: -1.2,
      upper: -0.8,
      logE: 9,
      p: 0.001,
      spec: 'sha256:0',
      truthRevision: 1,
    }
    const decision = { race, at: NOON, state: 'keep-A', reason: 'a is better', ...said }
    await store.addDecision(decision)
    await store.addTruths([toTruth(1, 2, { revision: 1 })], NOON)
    assert.equal((await store.readScoreboard(race)).paired.mean, 1)
    assert.deepEqual(await store.readDecision(race), decision)
  })

  it('takes an epoch that only one arm answered in', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store, { design: 'split' })
    await place.store.addPredictions([toRecord()])
    await place.store.addTruths([toTruth(1, 2)], NOON)
    const [epoch] = (await place.store.readScoreboard(race)).epochs
    assert.deepEqual([epoch?.a.count, epoch?.b.count, epoch?.servedB], [1, 0, 0])
  })

  it('counts a record in the epoch that it was routed by, whenever it comes', async () => {
    await using place = await makeStore()
    const { store } = place
    const race = await startRace(store, { design: 'split' })
    await store.openEpoch({ epoch: 2, startedAt: NOON, weights: { 1: 0.5, 2: 0.5 } })
    const records = numbers(4).map(n => toRecord({ request: toRequest(n), variant: 1 + (n % 2), epoch: n < 2 ? 2 : 1 }))
    for (const record of records) await store.addPredictions([record])
    await store.addTruths([toTruth(0, 1), toTruth(1, 2), toTruth(2, 3), toTruth(3, 4)], NOON)
    assert.deepEqual(
      (await store.readScoreboard(race)).epochs.map(({ epoch, weightB, a, b, servedB }) => [
        ...[epoch, weightB, servedB],
        ...[a.mean, b.mean],
      ]),
      [
        [1, 0.25, 1, 9, 16],
        [2, 0.5, 1, 1, 4],
      ],
    )
  })

  it('keeps the races apart when a variant is replaced while truths are still to come', async () => {
    await using place = await makeStore()
    const { store } = place
    const first = await startRace(store)
    await store.addPredictions(toPair(1, 1, 2))
    const [, old] = await store.readVariants()
    const next = await store.addVariant({ ...(old ?? assert.fail()), version: 3 })
    await store.openEpoch({ epoch: 2, startedAt: NOON, weights: { 1: 1, [next]: 0 } })
    const second = await store.startRace({ a: 1, b: next, design: 'paired', spec, startedAt: NOON })
    const [a, b] = toPair(2, 3, 4).map(record => ({ ...record, epoch: 2 }))
    await store.addPredictions([a ?? assert.fail(), { ...(b ?? assert.fail()), variant: next }])
    await store.addTruths([toTruth(1, 0), toTruth(2, 0)], NOON)
    assert.equal((await store.readScoreboard(first)).paired.mean, -3)
    assert.equal((await store.readScoreboard(second)).paired.mean, -7)
  })

  it('takes requests of clocks that are hours and years off', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store)
    const times = [NOON - 7 * 3_600_000, NOON + 300 * 86_400_000, 0, 2 ** 48 - 1]
    await place.store.addPredictions(times.flatMap((at, n) => toPair(n, 1, 2, at)))
    await place.store.addTruths(
      times.map((at, n) => toTruth(n, 0, { at })),
      NOON,
    )
    assert.equal((await place.store.readScoreboard(race)).paired.count, 4)
  })

  it('takes names of any length and with any character', async () => {
    await using place = await makeStore()
    const race = await startRace(place.store)
    const series = ['long'.repeat(2000), 'with\0nothing', 'ärger 🏁', 'tab\t line\n\r back\\slash "quoted" \\N']
    const row = (n: number) => [{ prediction: 1, series: series[n] ?? '', at: 7 }]
    await place.store.addPredictions(
      numbers(4).flatMap(n => toPair(n, 0, 0).map(record => ({ ...record, entity: 'e\0', rows: row(n) }))),
    )
    const counts = await place.store.addTruths(
      series.map(name => toObservation(name, 7, 3)),
      NOON,
    )
    assert.deepEqual([counts.new, (await place.store.readScoreboard(race)).paired.count], [4, 4])
    const conflict = toObservation(series[0] ?? '', 7, 'x'.repeat(10_000))
    assert.equal((await place.store.addTruths([conflict, conflict], NOON)).conflict, 2)
  })
})
