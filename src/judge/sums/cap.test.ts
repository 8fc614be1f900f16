import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addToCap, applyCap, CAP_LABELS, type CapState, emptyCap } from './cap.ts'

const toCap = (losses: readonly number[], quantile: number): CapState => losses.reduce(addToCap, emptyCap(quantile))

describe('the cap of losses', () => {
  it('addToCap() sets it from the sizes of the first losses of A that are not zero', () => {
    const losses = Array.from({ length: CAP_LABELS }, (_, i) => (i % 5 === 0 ? -(i / 5 + 1) : 0))
    assert.equal(toCap(losses.slice(1), 0.5).cap, undefined)
    assert.equal(toCap(losses, 0.5).cap, 50.5)
    assert.deepEqual(toCap(losses, 0.5).sizes, [])
  })

  it('applyCap() keeps a loss within it and counts what it changed', () => {
    let state = toCap(Array(CAP_LABELS).fill(2), 0.95)
    const found = [1, 3, -3].map(loss => {
      const applied = applyCap(state, loss)
      state = applied.state
      return applied.loss
    })
    assert.deepEqual(found, [1, 2, -2])
    assert.deepEqual([state.judged, state.capped], [3, 2])
  })

  it('caps nothing where every loss was zero', () => {
    assert.equal(applyCap(toCap(Array(CAP_LABELS).fill(0), 0.95), 1e9).loss, 1e9)
  })
})
