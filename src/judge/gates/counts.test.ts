import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toRatioEvidence } from './counts.ts'

describe('toRatioEvidence()', () => {
  it('grows with a share that is not the wanted one, and falls below 0 with one that is', () => {
    assert.ok(toRatioEvidence([5000, 5000], [0.5, 0.5]) < 0)
    assert.ok(toRatioEvidence([5300, 4700], [0.5, 0.5]) > Math.log(1000))
    assert.ok(toRatioEvidence([9500, 500], [0.95, 0.05]) < 0)
  })

  it('adds up over three variants as over two', () => {
    assert.ok(toRatioEvidence([400, 300, 300], [0.3, 0.35, 0.35]) > Math.log(1000))
  })

  it('takes the weights for a hundred counts where nothing else is said', () => {
    assert.equal(toRatioEvidence([530, 470], [0.5, 0.5]), toRatioEvidence([530, 470], [0.5, 0.5], 100))
  })

  it('is nothing without counts', () => {
    assert.ok(Math.abs(toRatioEvidence([0, 0], [0.5, 0.5])) < 1e-12)
  })
})
