import assert from 'node:assert/strict'
import { it } from 'node:test'
import { toBackOffMs } from './back-off.ts'

it('toBackOffMs() doubles up to its bound, however often it failed', () => {
  assert.deepEqual(
    [1, 2, 3, 5, 6, 5_000].map(failures => toBackOffMs(failures, 2_000)),
    [100, 200, 400, 1_600, 2_000, 2_000],
  )
})
