import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toDominanceGate, toRepeatsGate } from './gates/gate.ts'
import { toDependentGates } from './gates/gates.ts'
import { toSplitGates } from './gates/split-gates.ts'
import { type BlockedEstimate, emptyBlocks } from './sequence/blocking.ts'
import type { Gate, RaceRule } from './verdict/race.ts'
import { decide } from './verdict/verdict.ts'

/* Where a gate opens, and where it does not yet: thresholds of docs/judge-validation.md. */

const sequence = { alpha: 0.05, tOpt: 1000, minGain: 0, margin: 0, season: 1 }
const rule: RaceRule = { ...sequence, design: 'split', dependent: false, binary: true }

function toSplit(a: number, b: number, weightB: number): readonly Gate[] {
  const counts = { weightB, eventsA: a, eventsB: b, servedA: a, servedB: b, repeated: 0 }
  return toSplitGates([{ ...counts, a: { count: a }, b: { count: b } }], 'labels', rule)
}

function toSeries(n: number, r1Top: number): readonly Gate[] {
  const blocked: BlockedEstimate = { estimate: 0, se: 1, n, r1Top, levels: [] }
  return toDependentGates({ kind: 'dependent', blocks: emptyBlocks(), dominance: 0 }, blocked)
}

const find = (name: string, gates: readonly Gate[]): Gate => gates.find(gate => gate.name === name) ?? assert.fail(name)

describe('a gate opens', () => {
  const rows: readonly [string, open: Gate, closed: Gate][] = [
    ['below a fifth of the spread', toDominanceGate(0.1999), toDominanceGate(0.2)],
    [
      'up to a label in twenty of a known entity',
      toRepeatsGate({ repeated: 5, of: 100 }, 'labels'),
      toRepeatsGate({ repeated: 5.1, of: 100 }, 'labels'),
    ],
    [
      'from 200 labels of each arm on at less than 30 %',
      find('labels of B', toSplit(600, 200, 0.25)),
      find('labels of B', toSplit(600, 199, 0.25)),
    ],
    [
      'from 100 labels of each arm on from 30 % on',
      find('labels of B', toSplit(230, 100, 0.3)),
      find('labels of B', toSplit(230, 99, 0.3)),
    ],
    ['while evidence against the weights is below 1000 to 1', ...toRatios('sample ratio')],
    ['while evidence against the weights of labels is below 1000 to 1', ...toRatios('label ratio')],
    [
      'up to an autocorrelation of 0.3',
      find('independent blocks', toSeries(2000, 0.3)),
      find('independent blocks', toSeries(2000, 0.301)),
    ],
    ['from 100 labels of a series on', find('first labels', toSeries(100, 0)), find('first labels', toSeries(99, 0))],
    ['from 1000 labels of a series on', find('labels', toSeries(1000, 0)), find('labels', toSeries(999, 0))],
  ]
  for (const [name, open, closed] of rows) it(name, () => assert.deepEqual([open.passed, closed.passed], [true, false]))

  /** Logarithms of the evidence are 5.6 and 7.3, that of 1000 is 6.9. */
  function toRatios(name: string): readonly [Gate, Gate] {
    return [find(name, toSplit(5200, 4800, 0.5)), find(name, toSplit(5220, 4780, 0.5))]
  }
})

describe('decide()', () => {
  const rows = [
    ['does not promote a bound at the gain', { lower: 0.1, upper: 1, minGain: 0.1, margin: 0 }, 'keep-racing'],
    ['does not keep A at a bound of 0', { lower: -1, upper: 0, minGain: 0, margin: 0 }, 'keep-racing'],
    [
      'does not call a bound at the margin equivalent',
      { lower: -0.1, upper: 0.1, minGain: 0, margin: 0.1 },
      'keep-racing',
    ],
    [
      'does not keep A at a gain that is the wanted one',
      { lower: -1, upper: 0.1, minGain: 0.1, margin: 0 },
      'keep-racing',
    ],
  ] as const
  for (const [name, input, wanted] of rows) it(name, () => assert.equal(decide({ ...input, ready: true }), wanted))
})
