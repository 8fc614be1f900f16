import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseHints } from './hints.ts'

describe('parseHints()', () => {
  it('reads the three headers of a prediction', () =>
    assert.deepEqual(parseHints({ 'x-regatta-entity': 'u', 'x-regatta-series': 's', 'x-regatta-at': '2026-01-31' }), {
      entity: 'u',
      series: 's',
      at: Date.UTC(2026, 0, 31),
      timeoutMs: undefined,
    }))
  it('reads how long the client waits', () => {
    const hints = parseHints({ 'x-request-timeout-ms': '1500' })
    assert.equal('timeoutMs' in hints && hints.timeoutMs, 1500)
  })
  it('reads none', () =>
    assert.deepEqual(parseHints({}), { entity: undefined, series: undefined, at: undefined, timeoutMs: undefined }))

  const refused: readonly [string, Record<string, string>, RegExp][] = [
    [
      'a time without an offset',
      { 'x-regatta-at': '2026-01-31T12:00' },
      /x-regatta-at: Cannot read time "2026-01-31T12:00"/,
    ],
    ['31 February', { 'x-regatta-at': '2026-02-31' }, /expected ISO 8601 or epoch ms/],
    ['an empty series', { 'x-regatta-series': '' }, /x-regatta-series: expected 1–512 characters, found 0/],
    ['no time to wait', { 'x-request-timeout-ms': '0' }, /x-request-timeout-ms: expected .* above 0, found "0"/],
    ['a time to wait with its unit', { 'x-request-timeout-ms': '5s' }, /found "5s"/],
    ['a long entity', { 'x-regatta-entity': 'x'.repeat(513) }, /x-regatta-entity: .*found 513/],
  ]
  for (const [name, headers, wanted] of refused)
    it(`tells the problem of ${name}`, () => {
      const hints = parseHints(headers)
      assert.match('problem' in hints ? hints.problem : 'no problem', wanted)
    })
})
