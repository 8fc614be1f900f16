import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toChange } from './changes.ts'
import type { KubeObject } from './object.ts'

const toObject = (kind: string, rest: object, version = '1'): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: {
    name: 'x',
    resourceVersion: version,
    managedFields: [{ time: version }],
    uid: version,
    generation: Number(version),
    creationTimestamp: version,
  },
  ...rest,
})

describe('toChange()', () => {
  it('tells a new object', () => {
    assert.deepEqual(toChange(undefined, toObject('Service', {})), {
      object: 'Service/x',
      change: 'create',
      fields: [],
    })
  })

  it('passes over what the cluster keeps for itself', () => {
    const before = toObject('Service', { spec: { a: 1 }, status: { b: 1 } }, '1')
    assert.equal(toChange(before, toObject('Service', { spec: { a: 1 }, status: { b: 2 } }, '2')).change, 'keep')
  })

  it('names each field that changes, within lists too', () => {
    const before = toObject('Deployment', { spec: { replicas: 1, list: [{ v: 1 }, { v: 2 }] } })
    const after = toObject('Deployment', { spec: { replicas: 3, list: [{ v: 1 }, { v: 5 }] } })
    assert.deepEqual(toChange(before, after).fields, ['.spec.list[1].v: 2 → 5', '.spec.replicas: 1 → 3'])
  })

  it('never shows what is in a Secret', () => {
    const change = toChange(
      toObject('Secret', { data: { admin: 'b2xk' } }),
      toObject('Secret', { data: { admin: 'bmV3' } }),
    )
    assert.deepEqual(change.fields, ['.data.admin'])
  })
})
