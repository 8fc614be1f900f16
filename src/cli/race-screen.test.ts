import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import type { RaceJson, RacePointJson } from '../control/index.ts'
import { openScreen } from './live-screen.ts'
import { toRaceChart } from './race-chart.ts'
import { toRaceScreen } from './race-screen.ts'

const toPoint = (n: number, estimate: number, reach: number): RacePointJson => ({
  ...{ n, at: null, estimate, lower: estimate - reach, upper: estimate + reach },
})
const narrowing = Array.from({ length: 100 }, (_, at) => toPoint(at + 1, 1, 10 / Math.sqrt(at + 1)))

describe('toRaceChart()', () => {
  it('draws the improvement, its bounds and no difference against the labels', () => {
    const points = [toPoint(25, 2, 2), toPoint(50, 2, 2), toPoint(75, 2, 1), toPoint(100, 2, 1)]
    const lines = toRaceChart(points, { width: 30, height: 6, colours: false })
    assert.deepEqual(lines, [
      '        4 ░░░░░░░░░░░░░',
      '          ░░░░░░░░░░░░░░░░░░░░',
      '          ━━━━━━━━━━━━━━━━━━━━',
      '          ░░░░░░░░░░░░░░░░░░░░',
      '        0 ────────────────────',
      '          25        100 labels',
    ])
  })

  it('is as high as it is told, never wider, with colours too', () => {
    for (const [width, height] of [
      [20, 4],
      [40, 10],
      [200, 60],
    ] as const) {
      for (const colours of [false, true]) {
        const lines = toRaceChart(narrowing, { width, height, colours })
        assert.equal(lines.length, height)
        for (const line of lines) assert.ok([...stripVTControlCharacters(line)].length <= width, line)
      }
    }
    const toText = (colours: boolean): string => toRaceChart(narrowing, { width: 40, height: 10, colours }).join('')
    assert.ok(toText(true).includes('\x1b[32m━'))
    assert.ok(!toText(false).includes('\x1b'))
  })

  it('draws what is worse below no difference', () => {
    const worse = [toPoint(50, -2, 1), toPoint(100, -2, 1)]
    const lines = toRaceChart(worse, { width: 30, height: 7, colours: false })
    const rowOf = (glyph: string): number => lines.findIndex(line => line.includes(glyph))
    assert.ok(rowOf('─') < rowOf('━'), lines.join('\n'))
  })

  it('draws nothing of labels without bounds, or without room', () => {
    const size = { width: 40, height: 10, colours: false }
    assert.deepEqual(toRaceChart([], size), [])
    assert.deepEqual(toRaceChart([{ n: 1, at: null, estimate: 1, lower: null, upper: null }], size), [])
    assert.deepEqual(toRaceChart(narrowing, { ...size, width: 15 }), [])
    assert.deepEqual(toRaceChart(narrowing, { ...size, height: 3 }), [])
  })

  it('draws differences that are all none', () => {
    const flat = [toPoint(50, 0, 0), toPoint(100, 0, 0)]
    assert.equal(toRaceChart(flat, { width: 40, height: 8, colours: false }).length, 8)
  })
})

const race: RaceJson = {
  ...{
    schema: 'regatta/race/v1',
    maturityMs: 0,
    race: 1,
    startedAt: '',
    ended: null,
    task: 'regression',
    loss: 'squared',
  },
  ...{ design: 'paired', alpha: 0.05, decision: null, drift: false, outlook: null, notes: [] },
  ...{ comparisons: 1, guardrails: [], ramp: null, events: [] },
  variants: (['A', 'B'] as const).map(role => ({
    ...{ name: role.toLowerCase(), version: 1, digest: '', role, params: { hidden: 100, learning_rate: 0.001 } },
    ...{ predictions: 100, labels: 100, meanLoss: 1, lateness: null },
    maturity: { predictions: 100, labelled: 100, missing: 0, provisional: { labels: 0, meanLoss: null } },
  })),
  verdict: {
    ...{ state: 'keep-racing', estimate: 1, lower: -0.5, upper: 2.5, se: 0.1, labels: 100, p: 0.1, logE: 1, gates: [] },
    reason: "No difference is certain yet: b's mean loss is between 20 % higher and 40 % lower; 100 labels",
  },
  refused: 0,
  truths: { new: 100, duplicate: 0, revised: 0, stale: 0, conflict: 0, orphan: 0 },
}

describe('toRaceScreen()', () => {
  it('has the chart, the table and the verdict where there is room', () => {
    const lines = toRaceScreen(race, narrowing, { width: 100, height: 30, colours: false })
    assert.equal(lines.length, 30)
    const text = lines.join('\n')
    for (const part of ['━', '100 labels', 'VARIANT', 'keep-racing: No difference', 'Ctrl-C']) {
      assert.ok(text.includes(part), text)
    }
  })

  it('fits every terminal', () => {
    for (const colours of [false, true]) {
      for (const width of [1, 10, 40, 80]) {
        for (const height of [1, 5, 12, 50]) {
          const lines = toRaceScreen(race, narrowing, { width, height, colours })
          assert.ok(lines.length <= height)
          for (const line of lines) assert.ok([...stripVTControlCharacters(line)].length <= width, `${width}: ${line}`)
        }
      }
    }
  })

  it('leaves out the chart where the words need the room', () => {
    const lines = toRaceScreen(race, narrowing, { width: 80, height: 10, colours: false })
    assert.doesNotMatch(lines.join('\n'), /━/)
    assert.match(lines.join('\n'), /keep-racing/)
  })
})

it('openScreen() gives the terminal back as it was, and paints nothing twice', () => {
  let written = ''
  const err = (text: string): void => {
    written += text
  }
  {
    using screen = openScreen({ err })
    screen.paint(['one', 'two'])
    const once = written
    screen.paint(['one', 'two'])
    assert.equal(written, once)
  }
  assert.equal(written, '\x1b[?1049h\x1b[?25l\x1b[Hone\x1b[K\r\ntwo\x1b[K\x1b[J\x1b[?25h\x1b[?1049l')
})
