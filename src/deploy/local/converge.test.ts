import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseDigest, parseVariantName } from '../../core/brands.ts'
import type { VariantPlan } from '../target.ts'
import { type RunningReplica, toChanges } from './converge.ts'

const digest = parseDigest(`sha256:${'a'.repeat(64)}`)
const toVariant = (id: number, name: string, replicas: number): VariantPlan => {
  return { id, name: parseVariantName(name), version: 1, digest, replicas }
}

/** Two generations may have one name, as where a variant is redeployed under it. */
const variants = fc
  .uniqueArray(fc.record({ id: fc.nat(5), name: fc.constantFrom('a', 'b', 'c'), replicas: fc.nat(4) }), {
    selector: variant => variant.id,
  })
  .map(list => list.map(({ id, name, replicas }) => toVariant(id, name, replicas)))

const toPlan = (list: readonly VariantPlan[]) => ({ deployment: 'forecast', variants: list })

describe('toChanges()', () => {
  it('makes any replicas those of any plan, without a name twice, and then finds nothing to do', () => {
    fc.assert(
      fc.property(variants, variants, fc.uniqueArray(fc.constantFrom('a-1', 'b-1', 'b-2')), (old, next, stopping) => {
        const kept = next.filter(variant => !old.some(({ id, name }) => id === variant.id && name !== variant.name))
        const first = toChanges(toPlan(old), [], new Set(stopping)).start
        const taken = [...stopping, ...first.map(({ name }) => name)]
        const { start, stop } = toChanges(toPlan(kept), first, new Set(taken))
        const names = [...taken, ...start.map(({ name }) => name)]
        assert.equal(new Set(names).size, names.length)
        const after = [...first.filter(({ name }) => !stop.includes(name)), ...start]
        for (const { id, replicas } of kept)
          assert.equal(after.filter(({ variant }) => variant.id === id).length, replicas)
        assert.equal(
          after.length,
          kept.reduce((sum, { replicas }) => sum + replicas, 0),
        )
        assert.deepEqual(toChanges(toPlan(kept), after, new Set(names)), { start: [], stop: [] })
        assert.ok(start.length === 0 || stop.every(name => first.some(replica => replica.name === name)))
      }),
    )
  })

  it('stops those that were started last, and gives a free number again', () => {
    const variant = toVariant(1, 'a', 1)
    const running: RunningReplica[] = ['a-2', 'a-1', 'a-3'].map(name => ({ name, variant }))
    assert.deepEqual(toChanges(toPlan([variant]), running, new Set(['a-1', 'a-2', 'a-3'])).stop, ['a-1', 'a-3'])
    const more = toVariant(1, 'a', 3)
    const { start } = toChanges(toPlan([more]), running.slice(0, 1), new Set(['a-2', 'a-1']))
    assert.deepEqual(
      start.map(({ name }) => name),
      ['a-3', 'a-4'],
    )
  })
})
