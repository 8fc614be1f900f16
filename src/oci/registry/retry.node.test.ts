import assert from 'node:assert/strict'
import { it } from 'node:test'
import { parseRetryAfter } from './retry.node.ts'

const NOW = Date.parse('Thu, 01 Jan 2026 00:00:00 GMT')

for (const [header, wanted] of [
  [undefined, undefined],
  ['0', 0],
  [' 120 ', 120_000],
  ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
  ['Thursday, 01-Jan-26 00:00:30 GMT', 30_000],
  ['Wed, 31 Dec 2025 23:59:59 GMT', 0],
  ['soon', undefined],
] as const) {
  it(`parseRetryAfter() reads ${header}`, () => assert.equal(parseRetryAfter(header, NOW), wanted))
}
