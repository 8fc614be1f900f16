import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDigest, parseVariantName } from '../../core/brands.ts'
import type { Routes, RouteVariant } from '../../core/wire/routes.ts'
import { toReplicaHost, withReplicas } from './headless.ts'

const known = { name: 'pod-1', url: 'http://10.0.0.1:8501', grpcUrl: 'http://10.0.0.1:8500' }
const variant: RouteVariant = {
  id: 7,
  name: parseVariantName('b'),
  version: 1,
  digest: parseDigest(`sha256:${'a'.repeat(64)}`),
  role: 'champion',
  weight: 1,
  replicas: [known],
}
const routes: Routes = { schema: 'regatta/routes/v1', deployment: 'm', epoch: 1, variants: [variant], capture: {} }

describe('toReplicaHost()', () => {
  it('names the Service of a variant', () => {
    assert.equal(toReplicaHost('forecast-{variant}-{id}', variant), 'forecast-b-7')
  })
})

describe('withReplicas()', () => {
  const cases: [name: string, addresses: readonly string[] | undefined, wanted: RouteVariant['replicas']][] = [
    ['keeps those on record where none is found', [], [known]],
    ['keeps those of a variant that nobody looked for', undefined, [known]],
    ['keeps the name, and with it the connections, of one that stays', ['10.0.0.1'], [known]],
    [
      'takes those that are found, of either family',
      ['10.0.0.2', 'fd00::1'],
      [
        { name: 'b-10.0.0.2', url: 'http://10.0.0.2:8501', grpcUrl: 'http://10.0.0.2:8500' },
        { name: 'b-fd00::1', url: 'http://[fd00::1]:8501', grpcUrl: 'http://[fd00::1]:8500' },
      ],
    ],
  ]
  for (const [name, addresses, wanted] of cases) {
    it(name, () => {
      const found = new Map(addresses === undefined ? [] : [[7, addresses]])
      assert.deepEqual(withReplicas(routes, found).variants[0]?.replicas, wanted)
    })
  }
})
