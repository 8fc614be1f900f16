import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Ejection, isAvailable, type Outcome, TRUSTED, toNext, toTried } from './ejection.ts'

const run = (outcomes: readonly Outcome[], from: Ejection = TRUSTED): Ejection =>
  outcomes.reduce((state, outcome) => toNext(state, outcome, 1000), from)

describe('toNext()', () => {
  const table: readonly [string, Ejection, Ejection][] = [
    ['one refused connection puts out for 100 ms', run(['refused']), { state: 'out', rounds: 1, until: 1100 }],
    ['two failures do not', run(['failed', 'failed']), { state: 'in', failures: 2 }],
    ['three failures do', run(['failed', 'failed', 'failed']), { state: 'out', rounds: 1, until: 1100 }],
    [
      'an answer between them starts the count anew',
      run(['failed', 'failed', 'answered', 'failed']),
      { state: 'in', failures: 1 },
    ],
    [
      'a late failure does not prolong',
      run(['refused', 'failed', 'refused']),
      { state: 'out', rounds: 1, until: 1100 },
    ],
    [
      'a failed probe doubles the pause',
      run(['failed'], { state: 'probing', rounds: 2 }),
      { state: 'out', rounds: 3, until: 1400 },
    ],
    [
      'the pause has an end',
      run(['failed'], { state: 'probing', rounds: 40 }),
      { state: 'out', rounds: 41, until: 6000 },
    ],
    ['an answered probe puts in', run(['answered'], { state: 'probing', rounds: 9 }), TRUSTED],
    [
      'a client that left during the probe leaves room for another',
      run(['unknown'], { state: 'probing', rounds: 2 }),
      { state: 'out', rounds: 2, until: 1000 },
    ],
  ]
  for (const [name, found, wanted] of table) it(name, () => assert.deepEqual(found, wanted))

  it('lets exactly one request through after a pause', () => {
    const out = run(['refused'])
    assert.equal(isAvailable(out, 1099), false)
    assert.equal(isAvailable(out, 1100), true)
    assert.equal(isAvailable(toTried(out, 1100), 1100), false)
  })

  it('never keeps a replica out for more than 5 s, whatever happens', () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom<Outcome>('answered', 'refused', 'failed', 'unknown')), outcomes => {
        let state: Ejection = TRUSTED
        for (const outcome of outcomes) state = toNext(toTried(state, 1e9), outcome, 1e9)
        assert.ok(isAvailable(state, 1e9 + 5_000))
      }),
    ))
})
