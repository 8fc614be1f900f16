import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Circuit, CLOSED, type Fate, isClosed, toAsked, toSettled } from './circuit.ts'

const T = 1_000_000
const run = (fates: readonly Fate[], from: Circuit = CLOSED, at = T): Circuit =>
  fates.reduce<Circuit>((circuit, fate) => toSettled(circuit, fate, at), from)
const times = (count: number, fate: Fate): Fate[] => Array<Fate>(count).fill(fate)

describe('toSettled()', () => {
  const table: readonly [string, Circuit, Circuit['state']][] = [
    ['stays closed after nine failures', run(times(9, 'failed')), 'closed'],
    ['opens with the tenth', run(times(10, 'failed')), 'open'],
    ['stays closed while fewer than half fail', run([...times(21, 'answered'), ...times(20, 'failed')]), 'closed'],
    ['opens once half fail', run([...times(20, 'answered'), ...times(20, 'failed')]), 'open'],
    ['does not count what says nothing', run(times(50, 'unknown')), 'closed'],
    ['closes with an answered probe', run(['answered'], { state: 'probing', rounds: 3 }), 'closed'],
    ['opens with a failed probe', run(['failed'], { state: 'probing', rounds: 3 }), 'open'],
  ]
  for (const [name, circuit, wanted] of table) it(name, () => assert.equal(circuit.state, wanted))

  it('forgets old failures', () => {
    const old = run(times(9, 'failed'))
    assert.equal(run(times(9, 'failed'), old, T + 60_000).state, 'closed')
    assert.equal(run(times(9, 'failed'), old, T + 1_000).state, 'open')
  })

  it('pauses a second at first, twice as long after each failed probe, and half a minute at most', () => {
    let circuit = run(times(10, 'failed'))
    const pauses: number[] = []
    for (let count = 0; count < 7; count++) {
      pauses.push(circuit.state === 'open' ? circuit.until - T : 0)
      circuit = run(['failed'], { state: 'probing', rounds: count + 1 })
    }
    assert.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  })

  it('leaves room for another probe where the client of the first left', () =>
    assert.deepEqual(run(['unknown'], { state: 'probing', rounds: 2 }), { state: 'open', rounds: 2, until: T }))

  it('never keeps a variant out for more than half a minute, whatever happens', () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom<Fate>('answered', 'failed', 'unknown')), fates => {
        let circuit: Circuit = CLOSED
        for (const fate of fates) circuit = toSettled(toAsked(circuit, T), fate, T)
        assert.ok(isClosed(circuit, T + 30_000))
      }),
    ))
})

describe('toAsked()', () => {
  it('lets exactly one request through after the pause', () => {
    const open = run(times(10, 'failed'))
    assert.equal(isClosed(open, T + 999), false)
    assert.equal(isClosed(open, T + 1_000), true)
    assert.equal(isClosed(toAsked(open, T + 1_000), T + 1_000), false)
  })
})
