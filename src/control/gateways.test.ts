import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Gateways } from './gateways.ts'

describe('Gateways', () => {
  it('sums what each dropped, and says when that changes', () => {
    const gateways = new Gateways()
    assert.equal(gateways.note({ gateway: 'a', dropped: 0 }), false)
    assert.equal(gateways.note({ gateway: 'a', dropped: 2 }), true)
    assert.equal(gateways.note({ gateway: 'b', dropped: 3 }), true)
    assert.equal(gateways.note({ gateway: 'b', dropped: 3 }), false)
    assert.equal(gateways.dropped, 5)
  })

  it('knows the oldest epoch that one still follows, and takes none back', () => {
    const gateways = new Gateways()
    assert.equal(gateways.oldestEpoch, undefined)
    gateways.note({ gateway: 'a', dropped: 0, epoch: 4 })
    gateways.note({ gateway: 'b', dropped: 0, epoch: 3 })
    assert.equal(gateways.oldestEpoch, 3)
    gateways.note({ gateway: 'b', dropped: 0, epoch: 5 })
    gateways.note({ gateway: 'b', dropped: 0, epoch: 3 })
    assert.equal(gateways.oldestEpoch, 4)
  })
})
