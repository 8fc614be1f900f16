import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { KubeObject } from './object.ts'
import { type Snapshot, toState } from './state.ts'

const AT = '2026-01-01T12:00:00Z'
const ready = { type: 'Ready', status: 'True', lastTransitionTime: AT }

function toPod(name: string, part: string, status: object, more: object = {}): KubeObject {
  const labels = { 'app.kubernetes.io/component': part, 'regatta.dev/variant-id': '7' }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels, creationTimestamp: AT, ...more }, status }
}

const gatewayPod = toPod('g', 'gateway', { conditions: [ready] })
const service: KubeObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'm-gateway', namespace: 'team', creationTimestamp: AT },
  spec: { type: 'LoadBalancer' },
  status: { loadBalancer: { ingress: [{ ip: '10.9.9.9' }] } },
}
const slice: KubeObject = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 's', labels: { 'kubernetes.io/service-name': 'm-gateway' } },
  endpoints: [{ conditions: { ready: true } }],
}
const empty: Snapshot = {
  pods: [],
  deployments: [],
  services: [service],
  slices: [slice],
  events: [],
  claims: [],
  now: Date.parse(AT) + 20_000,
}

describe('toState()', () => {
  it('tells the addresses of ready replicas and of the gateway', () => {
    const pod = toPod('a', 'server', { podIP: '10.0.0.1', conditions: [ready] })
    const { gatewayUrl, gatewayGrpcUrl, gateway, replicas } = toState(
      { ...empty, pods: [pod, gatewayPod] },
      'm-gateway',
    )
    assert.deepEqual([gatewayUrl, gatewayGrpcUrl], ['http://10.9.9.9:8501', 'http://10.9.9.9:8500'])
    assert.equal(gateway.health.state, 'ready')
    const [replica] = replicas
    assert.deepEqual(
      [replica?.name, replica?.variant, replica?.health.state, replica?.url, replica?.grpcUrl],
      ['a', 7, 'ready', 'http://10.0.0.1:8501', 'http://10.0.0.1:8500'],
    )
  })

  it('tells the image of a replica: the one that it is told to run, or what its tag led to', () => {
    const [told, ran] = ['a', 'b'].map(letter => `sha256:${letter.repeat(64)}`)
    const cases = [
      [`r/m@${told}`, `r/m@${ran}`, told],
      ['r/m:1', `r/m@${ran}`, ran],
      ['r/m:1', '', undefined],
    ] as const
    for (const [image, imageID, wanted] of cases) {
      const status = { conditions: [ready], containerStatuses: [{ name: 'server', imageID }] }
      const pod = { ...toPod('a', 'server', status), spec: { containers: [{ name: 'server', image }] } }
      assert.equal(toState({ ...empty, pods: [pod] }, 'm-gateway').replicas[0]?.digest, wanted)
    }
  })

  it('takes a pod that is about to go out at once, though it still answers', () => {
    const pod = toPod('a', 'server', { podIP: '10.0.0.1', conditions: [ready] }, { deletionTimestamp: AT })
    assert.equal(toState({ ...empty, pods: [pod] }, 'm-gateway').replicas[0]?.health.state, 'stopping')
  })

  it('forgets pods that were evicted or have ended', () => {
    const pods = ['Failed', 'Succeeded'].map(phase => toPod(phase, 'server', { phase }))
    assert.deepEqual(toState({ ...empty, pods }, 'm-gateway').replicas, [])
  })

  it('puts one replica in the place of those that the cluster refuses to make', () => {
    const condition = { type: 'ReplicaFailure', status: 'True', message: 'exceeded quota: few', lastTransitionTime: AT }
    const deployment: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'm-a-7', labels: { 'regatta.dev/variant-id': '7' } },
      status: { conditions: [condition] },
    }
    const [replica] = toState({ ...empty, deployments: [deployment] }, 'm-gateway').replicas
    assert.equal(replica?.name, 'm-a-7')
    assert.ok(replica.health.state === 'failing' && replica.health.code === 'QUOTA')
  })

  it('calls a gateway failing that its Service does not lead to', () => {
    const { health } = toState({ ...empty, slices: [], pods: [gatewayPod] }, 'm-gateway').gateway
    assert.ok(health.state === 'failing' && health.code === 'NO_ENDPOINTS')
    const soon = { ...empty, slices: [], pods: [gatewayPod], now: Date.parse(AT) + 1000 }
    assert.equal(toState(soon, 'm-gateway').gateway.health.state, 'ready')
  })

  it('calls a gateway ready once as many of its pods are as are wanted, and failing where one fails', () => {
    const deployment: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'm-gateway' },
      spec: { replicas: 2 },
    }
    const healthOf = (...pods: readonly KubeObject[]) =>
      toState({ ...empty, deployments: [deployment], pods }, 'm-gateway').gateway.health
    assert.equal(healthOf(gatewayPod).state, 'starting')
    const other = { ...gatewayPod, metadata: { ...gatewayPod.metadata, name: 'h' } }
    assert.equal(healthOf(gatewayPod, other).state, 'ready')
    const terminated = { exitCode: 1, message: 'no port' }
    const containerStatuses = [{ name: 'gateway', ready: false, restartCount: 1, lastState: { terminated } }]
    const health = healthOf(gatewayPod, toPod('h', 'gateway', { containerStatuses }))
    assert.ok(health.state === 'failing' && health.code === 'CRASH_LOOP')
  })

  it('writes addresses as URLs do, and that of a Service within the cluster by its name', () => {
    const pod = toPod('a', 'server', { podIP: 'fd00::1', conditions: [ready] })
    const { replicas } = toState({ ...empty, pods: [pod] }, 'm-gateway')
    assert.deepEqual([replicas[0]?.url, replicas[0]?.grpcUrl], ['http://[fd00::1]:8501', 'http://[fd00::1]:8500'])
    const within = { ...service, spec: { type: 'ClusterIP' } }
    assert.equal(toState({ ...empty, services: [within] }, 'm-gateway').gatewayUrl, 'http://m-gateway.team.svc:8501')
  })
})
