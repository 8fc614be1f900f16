import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDigest, parseVariantName } from '../../core/brands.ts'
import type { ReplicaState, TargetState } from '../../deploy/index.ts'
import { type StatusFacts, toStatus } from './status.ts'

const [own, other] = ['a', 'b'].map(letter => parseDigest(`sha256:${letter.repeat(64)}`))

describe('toStatus()', () => {
  const gateway = { name: 'gateway', health: { state: 'ready', since: 0 }, pid: 1, restarts: 0 } as const
  const look = (digest: ReplicaState['digest'], more: Partial<StatusFacts> = {}) => {
    const name = 'm-a-1-5d9c-x2x'
    const replica: ReplicaState = { ...gateway, pid: 7, name, variant: 1, url: undefined, grpcUrl: undefined, digest }
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
      ...more,
    } as const
    return toStatus(deployment, state, facts).variants[0]?.replicas[0]
  }

  it('names a replica that runs the image of another version', () => {
    const found = look(other)
    assert.deepEqual([found?.state, found?.code], ['ready', 'VERSION_SKEW'])
    assert.match(
      found?.reason ?? '',
      /runs image sha256:bbb.*version 3, sha256:aaa.*kubectl delete pod m-a-1-5d9c-x2x:.*rollout undo deployment\/m-a-1$/,
    )
  })

  it('says nothing where it is the same, or nobody can tell', () => {
    assert.deepEqual([look(own)?.code, look(undefined)?.code], [null, null])
  })

  it('says how to end a replica that performs poorly, where it runs', () => {
    const slow = new Map([
      [
        'm-a-1-5d9c-x2x',
        { code: 'P99_FAR_FROM_PEERS', evidence: 'it is slow', fix: 'regatta logs r', isToEnd: true } as const,
      ],
    ])
    assert.match(
      look(own, { slow })?.reason ?? '',
      /^it is slow; try: regatta logs r, .*: kubectl delete pod m-a-1-5d9c/,
    )
    assert.match(look(own, { slow, target: 'local' })?.reason ?? '', /kill 7$/)
  })

  it('says what else is to be done where a new replica would be no better', () => {
    const found = { code: 'CPU_THROTTLED', evidence: 'it waits', fix: 'Raise the limit', isToEnd: false } as const
    const slow = new Map([['m-a-1-5d9c-x2x', found]])
    assert.equal(look(own, { slow })?.reason, 'it waits; try: Raise the limit')
  })

  type Health = ReplicaState['health']['state']
  const toHealth = (state: Health): ReplicaState['health'] =>
    state === 'failing' ? { state, since: 0, code: 'CRASH_LOOP', reason: '', retryAt: 0 } : { state, since: 0 }
  const rows: [
    name: string,
    replicas: readonly Health[],
    more: { gateway?: Health; pending?: true },
    ready: boolean,
  ][] = [
    ['all are', ['ready', 'ready'], {}, true],
    ['one too many is', ['ready', 'ready', 'starting'], {}, true],
    ['one too few is', ['ready', 'starting'], {}, false],
    ['one too many fails, as in a rollout that does not get on', ['ready', 'ready', 'failing'], {}, false],
    ['the gateway is not', ['ready', 'ready'], { gateway: 'starting' }, false],
    ['another variant is on its way', ['ready', 'ready'], { pending: true }, false],
    ['nothing runs', [], {}, false],
  ]
  for (const [name, replicas, { gateway: health = 'ready', pending }, ready] of rows) {
    it(`is ${ready ? '' : 'not '}ready where ${name}`, () => {
      const member = { name: parseVariantName('a'), version: 3, digest: own ?? assert.fail(), weight: 1 } as const
      const toReplica = (state: Health, variant: number): ReplicaState => {
        return { ...gateway, health: toHealth(state), name: 'r', variant, url: undefined, grpcUrl: undefined }
      }
      const state: TargetState = {
        gateway: { ...gateway, health: toHealth(health) },
        gatewayUrl: undefined,
        gatewayGrpcUrl: undefined,
        replicas: [...replicas.map(one => toReplica(one, 1)), toReplica('ready', 2), toReplica('ready', 2)],
      }
      const deployment = {
        epoch: 1,
        live: [{ ...member, id: 1, role: 'champion' as const }],
        pending: pending === undefined ? [] : [{ ...member, id: 2, role: 'champion' as const }],
        leaving: [],
      }
      const facts = {
        name: 'm',
        target: 'kubernetes',
        replicas: 2,
        droppedRecords: 0,
        races: [],
        slow: new Map(),
      } as const
      assert.equal(toStatus(deployment, state, facts).ready, ready)
    })
  }
})
