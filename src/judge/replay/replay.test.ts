import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import golden from '../testing/golden.json' with { type: 'json' }
import { assertAgrees } from '../testing/near.ts'
import { toNormal, toUniform } from '../testing/random.ts'
import { type ReplayLine, toReplayLine } from './line.ts'
import { Replay, type ReplaySettings } from './replay.ts'
import { parseOutcomeRow } from './row.ts'

const settings: ReplaySettings = {
  ...{ task: 'regression', loss: { kind: 'squared' }, alpha: 0.05, tOpt: 1000, minGain: 0, margin: 0, season: 1 },
  ...{ strict: false, cap: undefined, champion: undefined, spec: 'sha256:1' },
}

type Row = Readonly<Record<string, unknown>>

function run(rows: readonly Row[], more: Partial<ReplaySettings> = {}): ReplayLine {
  return runAll(rows, more).at(-1) ?? assert.fail('no look')
}

/** A look after every label, and one at the end. */
function runAll(rows: readonly Row[], more: Partial<ReplaySettings> = {}): readonly ReplayLine[] {
  const replay = new Replay({ ...settings, ...more })
  const looks: ReplayLine[] = []
  for (const row of rows)
    for (const _label of replay.add(parseOutcomeRow(row, more.loss ?? settings.loss)))
      looks.push(toReplayLine(replay.look()))
  for (const _label of replay.finish()) looks.push(toReplayLine(replay.look()))
  return [...looks, toReplayLine(replay.look())]
}

/** Only looks at the end, as the command does without --every. */
function runToEnd(rows: readonly Row[], more: Partial<ReplaySettings>): ReplayLine {
  const replay = new Replay({ ...settings, ...more })
  for (const row of rows) for (const _label of replay.add(parseOutcomeRow(row, settings.loss)));
  for (const _label of replay.finish());
  return toReplayLine(replay.look())
}

const toPairs = (differences: readonly number[], more: (i: number) => Row = () => ({})): readonly Row[] =>
  differences.flatMap((d, i) => [
    { request: `${i}`, variant: 'a', loss: 10 + d, ...more(i) },
    { request: `${i}`, variant: 'b', loss: 10, ...more(i) },
  ])

const toArm = (variant: string, losses: readonly number[], more: (i: number) => Row = () => ({})): readonly Row[] =>
  losses.map((loss, i) => ({ request: `${variant}${i}`, variant, loss, ...more(i) }))

function toNoise(seed: number, count: number, shift = 0): readonly number[] {
  const normal = toNormal(toUniform(seed))
  return Array.from({ length: count }, () => shift + normal())
}

describe('Replay of reference figures', () => {
  it('takes rows of one request for a pair', () => {
    for (const { d, at, ...rule } of golden.paired.cases)
      for (const wanted of at) {
        const found = runToEnd(toPairs(d.slice(0, wanted.n)), rule)
        assert.deepEqual([found.design, found.n, found.verdict], ['paired', wanted.n, 'warming-up'])
        assertAgrees(found.estimate ?? Number.NaN, wanted.mean, 1e-9)
        for (const key of ['lower', 'upper', 'logE', 'p'] as const)
          assertAgrees(found[key] ?? Number.NaN, wanted[key], 1e-9)
      }
  })

  it('takes other rows for a split', () => {
    for (const { a, b, alpha, tOpt, ...wanted } of golden.split.cases) {
      const found = runToEnd([...toArm('a', a), ...toArm('b', b)], { alpha, tOpt })
      assert.deepEqual([found.design, found.n], ['split', wanted.N])
      assertAgrees(found.estimate ?? Number.NaN, wanted.est)
      assertAgrees(found.lower ?? Number.NaN, wanted.lower)
      assertAgrees(found.p, wanted.p)
    }
  })

  it('keeps epochs apart, and leaves out one with a lone label', () => {
    const { epochs, alpha, tOpt, ...wanted } = golden.splitEpochs
    const rows = epochs.flatMap(({ a, b }, epoch) =>
      [...toArm(`a`, a), ...toArm('b', b)].map(row => ({ ...row, request: `${epoch}/${row['request']}`, epoch })),
    )
    const found = run(rows, { alpha, tOpt })
    assert.deepEqual([found.design, found.n], ['epochs', wanted.N])
    assertAgrees(found.estimate ?? Number.NaN, wanted.est)
    assertAgrees(found.upper ?? Number.NaN, wanted.upper)
  })

  it('sums the labels of an entity', () => {
    const { a, b, alpha, tOpt, ...wanted } = golden.clusteredRatio
    const toRows = (variant: string, arm: typeof a): readonly Row[] =>
      arm.sum.flatMap((sum, entity) =>
        Array.from({ length: arm.count[entity] ?? 0 }, (_, i) => ({
          ...{ request: `${variant}${entity}/${i}`, variant, entity: `${variant}${entity}` },
          loss: sum / (arm.count[entity] ?? 1),
        })),
      )
    const found = run([...toRows('a', a), ...toRows('b', b)], { alpha, tOpt })
    assert.deepEqual([found.design, found.n], ['clustered', wanted.N])
    assertAgrees(found.estimate ?? Number.NaN, wanted.est)
    assertAgrees(found.se ?? Number.NaN, wanted.se, 1e-8)
  })

  it('takes out what a covariate foretells', () => {
    const { ya, xa, yb, xb, alpha, tOpt, ...wanted } = golden.cuped
    const rows = [...toArm('a', ya, i => ({ covariate: xa[i] })), ...toArm('b', yb, i => ({ covariate: xb[i] }))]
    const found = run(rows, { alpha, tOpt })
    assert.equal(found.design, 'adjusted')
    assertAgrees(found.estimate ?? Number.NaN, wanted.est)
    assertAgrees(found.upper ?? Number.NaN, wanted.upper)
  })

  it('gives exact bounds where they are wanted', () => {
    const { d, alpha, vOpt, at } = golden.empiricalBernstein.cs
    for (const wanted of at) {
      const rows = d.slice(0, wanted.n).flatMap((x, i) => [
        { request: `${i}`, variant: 'a', loss: Math.max(0, x) },
        { request: `${i}`, variant: 'b', loss: Math.max(0, -x) },
      ])
      const found = run(rows, { task: 'classification', loss: { kind: 'zero-one' }, strict: true, alpha, tOpt: vOpt })
      assert.deepEqual([found.design, found.gates], ['bounded', []])
      assertAgrees(found.lower ?? Number.NaN, wanted.lower, 1e-8)
      assertAgrees(found.upper ?? Number.NaN, wanted.upper, 1e-8)
    }
  })
})

describe('Replay', () => {
  it('judges forecasts in the order of their times, however the file is ordered', () => {
    const d = toNoise(3, 1200, 1)
    const rows = toPairs(d, i => ({ at: 1_700_000_000_000 + i * 3_600_000 }))
    const shuffled = rows.toSorted((x, y) => (Number(x['request']) % 7) - (Number(y['request']) % 7))
    const [found, wanted] = [run(shuffled, { task: 'forecast' }), run(rows, { task: 'forecast' })]
    assert.deepEqual([found.design, found.verdict], ['dependent', 'promote-B'])
    assert.deepEqual([found.se, found.lower], [wanted.se, wanted.lower])
    assert.equal(found.decision?.n, 1000)
  })

  it('judges wMAPE as a ratio of sums, of pairs, of forecasts and of a split', () => {
    const rows = Array.from({ length: 60 }, (_, i) => ({ truth: 5 + (i % 7), off: Math.sin(i * i) })).flatMap(
      ({ truth, off }, i) => [
        { request: `${i}`, variant: 'a', truth, prediction: truth + 2 + off },
        { request: `${i}`, variant: 'b', truth, prediction: truth + 1 - off },
      ],
    )
    const loss = { kind: 'wmape' } as const
    const total = (variant: string): number =>
      rows.reduce((sum, row) => sum + (row.variant === variant ? Math.abs(row.prediction - row.truth) : 0), 0)
    const size = rows.reduce((sum, row) => sum + (row.variant === 'a' ? row.truth : 0), 0)
    const wanted = (total('a') - total('b')) / size
    const [paired, dependent] = [run(rows, { loss }), run(rows, { loss, task: 'forecast' })]
    const split = run(
      rows.map((row, i) => ({ ...row, request: `${i}` })),
      { loss },
    )
    assert.deepEqual([paired.design, dependent.design, split.design], ['paired', 'dependent', 'split'])
    for (const found of [paired, dependent, split]) assertAgrees(found.estimate ?? Number.NaN, wanted)
    assertAgrees(paired.means.b ?? Number.NaN, total('b') / size)
  })

  it('finds pairs whose rows lie apart', () => {
    const rows = toPairs(toNoise(4, 300, 1))
    const apart = rows.toSorted((x, y) => (String(x['variant']) < String(y['variant']) ? -1 : 1))
    assert.deepEqual(run(apart).estimate, run(rows).estimate)
    assert.equal(run(apart).design, 'paired')
  })

  it('counts the rows of a race of pairs that have no partner', () => {
    const rows = [...toPairs(toNoise(5, 10)), { request: 'lone', variant: 'a', loss: 1 }]
    assert.deepEqual([run(rows).n, run(rows).unpaired], [10, 1])
  })

  it('names the champion, or takes the first variant of the file for it', () => {
    const rows = toPairs([1, 2, 3, 4])
    assert.deepEqual([run(rows).a, run(rows).estimate], ['a', 2.5])
    const turned = run(rows, { champion: 'b' })
    assert.deepEqual([turned.a, turned.b, turned.estimate], ['b', 'a', -2.5])
  })

  it('calls losses by their name where it computed them, and mean losses where they were given', () => {
    assert.match(run(toPairs(toNoise(3, 300, 1))).reason, /^b is better: its mean loss is/)
    const rows = toNoise(3, 300).flatMap((noise, i) => [
      { request: `${i}`, variant: 'a', prediction: 3 + noise, truth: 0 },
      { request: `${i}`, variant: 'b', prediction: noise, truth: 0 },
    ])
    assert.match(run(rows).reason, /^b is better: its squared error is/)
  })

  it('shows bounds from two labels on, while gates are closed', () => {
    const looks = runAll(toPairs([1, 2, 4]))
    assert.deepEqual(
      looks.map(({ n, lower, verdict }) => [n, lower === null, verdict]),
      [
        [1, true, 'warming-up'],
        [2, false, 'warming-up'],
        [3, false, 'warming-up'],
        [3, false, 'warming-up'],
      ],
    )
  })

  it('never shows a p-value that rises', () => {
    const looks = runAll(toPairs(toNoise(6, 400, 0.1)))
    const ps = looks.map(({ p }) => p)
    assert.deepEqual(
      ps,
      ps.toSorted((x, y) => y - x),
    )
    assertAgrees(ps.at(-1), Math.min(1, ...looks.map(({ logE }) => Math.exp(-logE))))
  })

  it('lets a decision stand, and tells a drift where the labels turn round', () => {
    const found = run(toPairs([...toNoise(7, 400, 1), ...toNoise(8, 3000, -1)]))
    assert.deepEqual([found.verdict, found.drift], ['promote-B', true])
    assert.ok((found.decision?.n ?? 0) < 400)
    assert.match(found.reason, /^Decided after \d+ labels; the labels since contradict it: a is better/)
  })

  it('caps losses at a quantile of the first 500 of the champion, which do not count', () => {
    const found = run(toPairs(toNoise(9, 900)), { cap: 0.5 })
    assert.deepEqual([found.n, found.cap?.quantile], [400, 0.5])
    assertAgrees(found.cap?.at ?? Number.NaN, 10, 0.1)
    assert.ok((found.cap?.share ?? 0) > 0.2)
    assert.ok(run(toPairs(toNoise(9, 400)), { cap: 0.5 }).gates.some(({ name, passed }) => name === 'cap' && !passed))
  })

  it('sees weights that were not kept, and labels that depend on the variant', () => {
    const weights = { a: 1, b: 1 }
    const uneven = [
      ...toArm('a', toNoise(10, 700), () => ({ weights })),
      ...toArm('b', toNoise(11, 500), () => ({ weights })),
    ]
    const missing = (line: ReplayLine): readonly string[] =>
      line.gates.flatMap(gate => (gate.passed ? [] : [gate.name]))
    assert.deepEqual(missing(run(uneven)), ['sample ratio', 'label ratio'])
    const late = Array.from({ length: 200 }, (_, i) => ({ request: `late${i}`, variant: 'b', prediction: 1, weights }))
    assert.deepEqual(missing(run([...uneven, ...late])), ['label ratio'])
  })

  it('compares the rates of events where losses are mostly zero, and wins where there are pairs', () => {
    const events = (rate: number) => Array.from({ length: 1000 }, (_, i) => Number(i % rate === 0))
    const weights = { a: 0.5, b: 0.5 }
    const found = run(
      [...toArm('a', events(10), () => ({ weights })), ...toArm('b', events(20), () => ({ weights }))],
      {
        loss: { kind: 'zero-one' },
        task: 'classification',
      },
    )
    assertAgrees(found.rateRatio?.estimate ?? Number.NaN, 0.5)
    assert.equal(run(toPairs([1, 1, -1, 0])).winRate?.estimate, 2 / 3)
    // Neither says anything of losses that depend on each other, nor of such as are seldom zero.
    assert.equal(run(toPairs([1, 1, -1, 0], i => ({ entity: `e${i % 2}` }))).winRate, null)
    const often = toArm('a', events(1), () => ({ weights }))
    assert.equal(run([...often, ...toArm('b', events(1), () => ({ weights }))]).rateRatio, null)
  })

  it('says how many labels the wanted gain takes', () => {
    const { labels } = run(toPairs(toNoise(12, 300)), { minGain: 0.1, margin: 0.5 })
    assert.ok((labels.needed?.half ?? 0) > 700 && (labels.needed?.fourFifths ?? 0) < 2000)
    assert.ok((labels.range?.low ?? 0) > 300)
    assert.equal(labels.counted, 300)
    assert.ok((labels.forEquivalence ?? 0) > 0)
  })
})

describe('Replay refuses', () => {
  const pair = toPairs([1])
  const wrong: readonly (readonly [string, readonly Row[], Partial<ReplaySettings>, RegExp])[] = [
    ['a third variant', [...pair, { request: '2', variant: 'c', loss: 1 }], {}, /third variant "c" beside "a" and "b"/],
    ['a request twice', [...pair, ...toArm('a', [1]), ...toArm('a', [1])], {}, /request "a0" of variant "a" twice/],
    [
      'an entity in some rows',
      [...pair, { request: '2', variant: 'a', loss: 1, entity: 'e' }],
      {},
      /Cannot take a row with entity/,
    ],
    [
      'two sets of weights in an epoch',
      [
        { request: '1', variant: 'a', loss: 1, epoch: 1, weights: { a: 1 } },
        { request: '2', variant: 'a', loss: 1, epoch: 1, weights: { a: 2 } },
      ],
      {},
      /weights \{"a":2\} into an epoch/,
    ],
    [
      'pairs that are about two times',
      [
        { request: '1', variant: 'a', loss: 1, at: 1 },
        { request: '1', variant: 'b', loss: 1, at: 2 },
      ],
      { task: 'forecast' },
      /pair the rows of request "1"/,
    ],
    [
      'a loss out of its range where bounds are exact',
      pair,
      { loss: { kind: 'zero-one' }, strict: true },
      /loss of 11 strictly: expected 0 to 1/,
    ],
  ]
  for (const [name, rows, more, message] of wrong)
    it(name, () => assert.throws(() => run(rows, more), { name: 'UsageError', message }))
})

describe('parseOutcomeRow()', () => {
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ['a list', [], /expected an object/],
    ['no request', { variant: 'a', loss: 1 }, /Cannot read request of a row: expected text, found nothing/],
    [
      'a loss that is text',
      { request: '1', variant: 'a', loss: 'x' },
      /expected a number that can be squared, found "x"/,
    ],
    [
      'a loss beside a truth',
      { request: '1', variant: 'a', loss: 1, prediction: 1, truth: 1 },
      /expected loss or prediction/,
    ],
    [
      'a prediction that cannot be scored',
      { request: '1', variant: 'a', prediction: 'x', truth: 1 },
      /loss squared can score/,
    ],
    ['neither loss nor prediction', { request: '1', variant: 'a' }, /expected a loss, or a prediction/],
    [
      'a key that nobody knows',
      { request: '1', variant: 'a', los: 1 },
      /Cannot read key "los" of a row: expected "loss"/,
    ],
    ['weights below zero', { request: '1', variant: 'a', loss: 1, weights: { a: -1 } }, /a weight of 0 or more/],
    ['a time that is none', { request: '1', variant: 'a', loss: 1, at: 'noon' }, /Cannot read time "noon"/],
  ]
  for (const [name, row, message] of wrong)
    it(`refuses ${name}`, () => assert.throws(() => parseOutcomeRow(row, { kind: 'squared' }), { message }))

  it('refuses a bare loss for wmape', () => {
    const row = { request: '1', variant: 'a', loss: 1 }
    assert.throws(() => parseOutcomeRow(row, { kind: 'wmape' }), { message: /prediction and truth for wmape/ })
  })

  const exported = {
    ...{ request: 'r', row: 2, variant: 'b', version: 7, at: '2026-01-31T12:00:00Z', series: 's' },
    ...{ target_at: '2026-02-01T00:00:00Z', prediction: 1, truth: 3, loss: 0.5, served: true, propensity: 0.25 },
    ...{ epoch: 3, input: [1], output: null },
  }

  it('takes a row that was exported, and scores it anew', () => {
    const { draw, ...row } = parseOutcomeRow({ ...exported, entity: null }, { kind: 'squared' })
    assert.deepEqual(row, {
      ...{ request: 'r/2', variant: 'b', terms: { loss: 4, weight: 1 }, given: false, entity: undefined, series: 's' },
      ...{ at: Date.UTC(2026, 1, 1), epoch: '3', weights: undefined, covariate: undefined },
    })
    assert.deepEqual(draw, { drawn: true, propensity: 0.25, request: 'r', arm: undefined })
  })

  const ill: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
    [{ request: null }, /Cannot read request of an exported row: expected text/],
    [{ row: '2' }, /Cannot read row of an exported row: expected a number/],
    [{ served: 1 }, /Cannot read served of an exported row: expected true or false/],
    [{ propensity: 2 }, /Cannot read propensity of an exported row: expected a number from 0 to 1/],
    [{ seen: 1 }, /Cannot read key "seen" of a row/],
  ]
  for (const [more, message] of ill)
    it(`refuses an exported row with ${JSON.stringify(more)}`, () =>
      assert.throws(() => parseOutcomeRow({ ...exported, ...more }, { kind: 'squared' }), {
        code: 'OUTCOME_ROW',
        message,
      }))
})
