import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDigest, parseVariantName } from '../../core/brands.ts'
import type { ReplicaState, TargetState } from '../../deploy/index.ts'
import { toStatus } from './status.ts'

const [own, other] = ['a', 'b'].map(letter => parseDigest(`sha256:${letter.repeat(64)}`))

describe('toStatus()', () => {
  const gateway = { name: 'gateway', health: { state: 'ready', since: 0 }, pid: 1, restarts: 0 } as const
  const look = (digest: ReplicaState['digest']) => {
    const replica: ReplicaState = { ...gateway, name: 'r', variant: 1, url: undefined, grpcUrl: undefined, digest }
    const state: TargetState = { gateway, gatewayUrl: undefined, gatewayGrpcUrl: undefined, replicas: [replica] }
    const member = { id: 1, name: parseVariantName('a'), version: 3, digest: own ?? assert.fail(), weight: 1 }
    const deployment = { epoch: 1, live: [{ ...member, role: 'champion' as const }], pending: [], leaving: [] }
    const facts = {
      name: 'm',
      target: 'kubernetes',
      replicas: 1,
      droppedRecords: 0,
      races: [],
      slow: new Map(),
    } as const
    return toStatus(deployment, state, facts).variants[0]?.replicas[0]
  }

  it('names a replica that runs the image of another version', () => {
    const found = look(other)
    assert.deepEqual([found?.state, found?.code], ['ready', 'VERSION_SKEW'])
    assert.match(found?.reason ?? '', /runs image sha256:bbb.*version 3, sha256:aaa.*kubectl delete pod r/)
  })

  it('says nothing where it is the same, or nobody can tell', () => {
    assert.deepEqual([look(own)?.code, look(undefined)?.code], [null, null])
  })
})
