import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseThrottling, readThrottling } from './throttling.node.ts'

describe('parseThrottling()', () => {
  it('reads what both versions of control groups tell', () => {
    const second = 'usage_usec 9\nnr_periods 120\nnr_throttled 30\nthrottled_usec 5\n'
    assert.deepEqual(parseThrottling(second), { periods: 120, throttled: 30 })
    assert.deepEqual(parseThrottling('nr_periods 4\nnr_throttled 0\nthrottled_time 0\n'), { periods: 4, throttled: 0 })
  })

  it('takes a group without a limit, or another text, for nothing told', () => {
    assert.equal(parseThrottling('nr_periods 0\nnr_throttled 0\n'), undefined)
    assert.equal(parseThrottling('usage_usec 9\n'), undefined)
  })
})

describe('readThrottling()', () => {
  it('takes the first file that is there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'regatta-throttling-'))
    try {
      const path = join(folder, 'cpu.stat')
      writeFileSync(path, 'nr_periods 2\nnr_throttled 1\n')
      assert.deepEqual(readThrottling([join(folder, 'none'), path]), { periods: 2, throttled: 1 })
      assert.equal(readThrottling([join(folder, 'none')]), undefined)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
