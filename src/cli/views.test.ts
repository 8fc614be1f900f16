import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ProcessJson, RaceJson, StatusJson, TraceJson } from '../control/index.ts'
import { parseDigest } from '../core/brands.ts'
import type { LoopReport } from '../pack/index.ts'
import { toLoopLines } from './packed-view.ts'
import { toLiveLine } from './progress.ts'
import { toRaceLines } from './race-view.ts'
import { toStatusLines } from './status-view.ts'
import { toTraceLines } from './trace-view.ts'

/* What people read: tables and sentences made of control's JSON. */

const DIGEST = `sha256:${'ab'.repeat(32)}`
const ready: ProcessJson = {
  name: 'a-1',
  state: 'ready',
  since: '2026-01-31T12:00:00.000Z',
  pid: 4711,
  restarts: 0,
  code: null,
  reason: null,
}

describe('toLoopLines()', () => {
  const report: LoopReport = {
    original: parseDigest(DIGEST),
    rewritten: parseDigest(DIGEST),
    loops: [
      { name: 'rnn/while_loop', operator: 'RNN', reason: null },
      { name: 'other', operator: null, reason: 'it carries 2 states' },
    ],
    problem: null,
    comparison: { inputs: 8, error: 2e-7, beforeMs: 0.98, afterMs: 0.1312 },
  }
  const cases = [
    ['nothing of a model without loops', null, []],
    [
      'what was rewritten and what it brings, and what was not and why',
      report,
      [
        'the Loop "rnn/while_loop" is an RNN, and is rewritten to that operator',
        'the Loop "other" stays as it is: it carries 2 states',
        'a run took at least 980 µs, and now 131 µs (7.5x); both answer 8 random inputs alike, to 1e-5',
      ],
    ],
    [
      'why a loop that is known stays',
      { ...report, loops: report.loops.slice(0, 1), comparison: null, problem: 'it answers otherwise, off by 1.0e-3' },
      [
        'the Loop "rnn/while_loop" is an RNN, and stays as it is: with that operator, it answers otherwise, off by 1.0e-3',
      ],
    ],
  ] as const
  for (const [name, loops, wanted] of cases) {
    it(`says ${name}`, () => {
      assert.equal(toLoopLines({ loops }), wanted.map(line => `model.onnx: ${line}\n`).join(''))
    })
  }
})

describe('toStatusLines()', () => {
  const status: StatusJson = {
    schema: 'regatta/status/v1',
    deployment: 'forecast',
    target: 'local',
    epoch: 3,
    ready: false,
    gateway: {
      grpcUrl: 'http://127.0.0.1:8500',
      url: 'http://127.0.0.1:8501',
      process: { ...ready, name: 'gateway' },
      droppedRecords: 0,
    },
    races: [],
    variants: [
      {
        name: 'a',
        version: 1,
        digest: DIGEST,
        role: 'champion',
        weight: 1,
        live: true,
        wantedReplicas: 2,
        replicas: [
          ready,
          {
            ...ready,
            name: 'a-2',
            state: 'failing',
            pid: null,
            restarts: 2,
            code: 'KILLED',
            reason: 'killed by SIGKILL',
          },
        ],
      },
    ],
  }
  it('shows a line per process and why one fails', () => {
    assert.equal(
      toStatusLines(status, false),
      [
        'forecast on local, epoch 3: not ready',
        'VARIANT  ROLE      SHARE  PROCESS  STATE    RESTARTS  IMAGE',
        'gateway                   gateway  ready    0         http://127.0.0.1:8501',
        'a v1     champion  100 %  a-1      ready    0         abababababab',
        'a v1     champion  100 %  a-2      failing  2         abababababab',
        'a-2 [KILLED] killed by SIGKILL',
        '',
      ].join('\n'),
    )
  })
  it('names the guardrail that stopped a challenger', () => {
    const race = {
      race: 1,
      champion: 'a',
      challenger: 'b',
      state: 'inconclusive',
      reason: 'The challenger was stopped',
      ended: { at: '2026-01-31T12:00:00.000Z', how: 'stopped' },
      guardrails: [{ name: 'p99', state: 'breached', detail: '90 of 900 requests' }],
      lastEvent: { at: '2026-01-31T12:00:00.000Z', kind: 'stopped', detail: 'p99' },
    } as const
    assert.match(
      toStatusLines({ ...status, races: [race] }, false),
      /b against a \(stopped\): inconclusive, The challenger was stopped\n {2}p99 breached: 90 of 900 requests\n {2}2026-01-31T12:00:00.000Z stopped: p99\n$/,
    )
  })

  it('says what to do where nothing is deployed', () => {
    assert.match(toStatusLines({ ...status, variants: [] }, false), /nothing is deployed; try: regatta deploy/)
  })
})

describe('toRaceLines()', () => {
  const arm = {
    name: 'a',
    version: 1,
    digest: DIGEST,
    role: 'A',
    params: { hidden: 200 },
    predictions: 520,
    labels: 500,
    meanLoss: 38.214,
    maturity: { predictions: 520, labelled: 500, missing: 20, provisional: { labels: 0, meanLoss: null } },
    lateness: null,
  } as const
  const race: RaceJson = {
    schema: 'regatta/race/v1',
    maturityMs: 0,
    race: 1,
    startedAt: '2026-01-31T12:00:00.000Z',
    ended: null,
    task: 'regression',
    loss: 'squared',
    design: 'paired',
    alpha: 0.05,
    comparisons: 1,
    guardrails: [],
    ramp: null,
    events: [],
    variants: [arm, { ...arm, name: 'b', version: 2, role: 'B', params: { hidden: 100 }, meanLoss: 33.5 }],
    verdict: {
      state: 'warming-up',
      reason: 'too few labels',
      estimate: 4.714,
      lower: null,
      upper: null,
      se: 1,
      labels: 50,
      p: 1,
      logE: 0,
      gates: [
        { name: 'pairs', passed: false, detail: '100 pairs wanted, 50 found' },
        { name: 'finite', passed: true, detail: 'all losses are finite' },
      ],
    },
    truths: { new: 500, duplicate: 0, revised: 0, stale: 0, conflict: 0, orphan: 0 },
    refused: 0,
    decision: null,
    drift: false,
    outlook: null,
    notes: [],
  }
  it('shows where a ramp is and what it waits for', () => {
    const ramp = { steps: [0.05, 0.2], weight: 0.05, waitsFor: 'p99: 0 of 40; sample ratio: B 90 of 1000' }
    const guardrails = [{ name: 'p99', state: 'watching', detail: '0 of 40' }] as const
    const text = toRaceLines({ ...race, ramp, guardrails }, false)
    assert.match(text, /p99 watching: 0 of 40\nramp \[5 %\] 20 %, waits for p99; sample ratio: B 90 of 1000\n/)
  })

  it('shows both arms, the verdict and what is missing', () => {
    const text = toRaceLines(race, false)
    assert.match(text, /^VARIANT +PREDICTIONS +LABELS +MEAN LOSS \(squared\) +PARAMS\n/)
    assert.match(text, /A a v1 +520 +500 +38\.21 +hidden=200\nB b v2 +520 +500 +33\.5 +hidden=100\n/)
    assert.match(text, /improvement of B 4\.714 no bounds yet \(95 % confidence sequence, 50 labels\)\n/)
    assert.match(text, /warming-up: too few labels\n {2}pairs: 100 pairs wanted, 50 found\n$/)
  })
  it('does not tell twice what is missing', () => {
    const verdict = { ...race.verdict, reason: 'Too early to decide: 100 pairs wanted, 50 found' }
    assert.equal(toRaceLines({ ...race, verdict }, false).match(/100 pairs wanted/g)?.length, 1)
  })
  it('adds what else is worth knowing', () => {
    const notes = [
      { name: 'provisional, not judged', detail: 'A 12 with a mean loss of 0.25; B none' },
      { name: 'needed', detail: 'about 4,200 labels in all' },
    ]
    const wanted =
      /^provisional, not judged: A 12 with a mean loss of 0\.25; B none\nneeded: about 4,200 labels in all\n$/m
    assert.match(toRaceLines({ ...race, notes }, false), wanted)
  })
  it('shows the bounds, and drift', () => {
    const verdict = { ...race.verdict, state: 'promote-B', lower: 0.93, upper: 8.45, gates: [] } as const
    const decision = { ...verdict, at: '2026-01-31T13:00:00.000Z', spec: 'sha256:1', truthRevision: 512 }
    const text = toRaceLines({ ...race, verdict, decision, drift: true }, false)
    assert.match(text, /4\.714 \[0\.93, 8\.45\]/)
    assert.match(text, /^decided: 2026-01-31T13:00:00\.000Z, after 50 labels$/m)
    assert.match(text, /drift: .*2026-01-31T13:00/)
    const ended = { at: '2026-01-31T14:00:00.000Z', how: 'promoted' } as const
    assert.match(toRaceLines({ ...race, ended }, false), /^ended: 2026-01-31T14:00:00\.000Z, promoted$/m)
  })
})

it('toTraceLines() shows the chain from the answer to the commit', () => {
  const trace: TraceJson = {
    schema: 'regatta/trace/v1',
    prediction: '0190-1/0',
    at: '2026-01-31T12:00:00.000Z',
    answers: [
      {
        variant: 'b',
        served: true,
        version: 2,
        replica: 'b-1',
        prediction: 14,
        loss: 0.25,
        latencyMs: 1.5,
        image: DIGEST,
        run: DIGEST,
        runId: '00ff',
        params: { hidden: 100 },
        data: [{ path: 'data/series.csv', digest: DIGEST }],
        git: { commit: 'c0ffee', dirty: true },
      },
    ],
    truth: { value: 14.5, revision: 0 },
  }
  const text = toTraceLines(trace)
  for (const part of [
    'truth 14.5',
    'answered by b, version 2, on b-1 in 1.5 ms',
    'loss 0.25',
    'run        00ff',
    'hidden=100',
    'data/series.csv',
    'c0ffee with uncommitted changes',
  ])
    assert.ok(text.includes(part), part)
})

describe('toLiveLine()', () => {
  it('repaints on a terminal, at most every 80 ms and never wider than it', () => {
    let now = 1000
    let shown = ''
    const terminal = { columns: () => 10, rows: () => 24, colours: false }
    const line = toLiveLine({ err: text => (shown += text), terminal, clock: () => now })
    line.show('a text that is longer than the terminal')
    now += 10
    line.show('too soon')
    assert.equal(shown, '\r\x1b[2Ka text th')
    line.milestone('done')
    assert.equal(shown, '\r\x1b[2Ka text th\r\x1b[2Kdone\n')
  })
  it('prints milestones alone where there is no terminal', () => {
    let shown = ''
    const line = toLiveLine({ err: text => (shown += text), terminal: undefined, clock: () => 0 })
    line.show('live')
    line.milestone('done')
    line.clear()
    assert.equal(shown, 'done\n')
  })
})
