import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { diagnosePod } from './diagnosis.ts'
import type { Circumstances, Finding } from './finding.ts'
import type { KubeObject } from './object.ts'
import { diagnoseEndpoints, diagnoseService } from './reach.ts'
import { diagnoseDeployment } from './refusal.ts'

interface Recorded {
  readonly object: KubeObject
  readonly events: readonly KubeObject[]
  readonly now: number
}

/** What a real cluster (1.34) held while each was provoked. */
const RECORDED: Readonly<Record<string, Recorded>> = JSON.parse(
  readFileSync(join(import.meta.dirname, 'testing', 'recorded.json'), 'utf8'),
)
const NOW = Date.UTC(2026, 0, 1, 12)
const around = (more: Partial<Circumstances> = {}): Circumstances => ({ events: [], claims: [], now: NOW, ...more })

describe('a recorded object', () => {
  const cases: [code: string, evidence: RegExp, fix: RegExp][] = [
    ['CRASH_LOOP', /exit code 2 .*last words: error\[USAGE\] Unknown option '--nonsense'/, /regatta logs linear-a-1-/],
    ['OOM', /reached its limit of 24Mi .*told nothing/, /serve\.resources\.limits\.memory to 48Mi or more/],
    ['UNSCHEDULABLE', /Insufficient cpu/, /serve\.resources\.requests\.cpu/],
    ['IMAGE_NOT_FOUND', /nobody\/nothing:1 is not in its registry/, /regatta push/],
    ['POD_SECURITY', /allowPrivilegeEscalation != false/, /overlay/],
    ['QUOTA', /exceeded quota: few/, /serve\.replicas/],
  ]
  for (const [code, evidence, fix] of cases) {
    it(`is diagnosed as ${code}`, () => {
      const recorded = RECORDED[code] ?? assert.fail(`${code} was not recorded`)
      const { object, events, now } = recorded
      const finding =
        object.kind === 'Pod' ? diagnosePod(object, around({ events, now })) : diagnoseDeployment(object, around())
      assert.equal(finding?.code, code)
      assert.match(finding.evidence, evidence)
      assert.match(finding.fix, fix)
    })
  }
})

describe('a Deployment', () => {
  it('is over a quota, too, where the quota is so new that nothing was counted', () => {
    const message = 'pods "linear-a-1-x" is forbidden: status unknown for quota: few, resources: pods'
    const conditions = [{ type: 'ReplicaFailure', status: 'True', message }]
    const object = { ...(RECORDED['QUOTA']?.object ?? assert.fail('QUOTA was not recorded')), status: { conditions } }
    assert.equal(diagnoseDeployment(object, around())?.code, 'QUOTA')
  })

  it('is refused for what its last pod was refused for, though its condition keeps older words', () => {
    const conditions = [{ type: 'ReplicaFailure', status: 'True', message: 'p violates PodSecurity "restricted"' }]
    const toRefusal = (replicaSet: string, at: string, message: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${replicaSet}.${at}` },
      involvedObject: { kind: 'ReplicaSet', name: replicaSet },
      reason: 'FailedCreate',
      lastTimestamp: `2026-01-01T00:00:${at}Z`,
      message,
    })
    const deployment: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'linear-a-1' },
      status: { conditions },
    }
    const events = [
      toRefusal('linear-a-1-bb', '02', '(combined from similar events): Error creating: exceeded quota: few'),
      toRefusal('linear-a-1-aa', '01', 'Error creating: p violates PodSecurity "restricted"'),
      toRefusal('linear-a-1-2-cc', '03', 'Error creating: of another deployment'),
    ]
    const finding = diagnoseDeployment(deployment, around({ events }))
    assert.deepEqual([finding?.code, finding?.evidence], ['QUOTA', 'exceeded quota: few'])
    assert.equal(diagnoseDeployment(deployment, around())?.code, 'POD_SECURITY')
  })
})

describe('a Deployment whose pods are refused', () => {
  const cases: [message: string, fix: RegExp][] = [
    ['pods "x" is forbidden: no PriorityClass with name urgent was found', /kubectl get priorityclass/],
    [
      'pods "x" is forbidden: maximum memory usage per Container is 64Mi',
      /kubectl describe limitrange --namespace team/,
    ],
    ['admission webhook "x" denied the request', /kubectl describe deployment\/m-a-1 --namespace team/],
  ]
  for (const [message, fix] of cases) {
    it(`knows what to do about "${message}"`, () => {
      const object: KubeObject = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'm-a-1', namespace: 'team' },
        status: { conditions: [{ type: 'ReplicaFailure', status: 'True', message }] },
      }
      const finding = diagnoseDeployment(object, around())
      assert.deepEqual([finding?.code, finding?.evidence], ['PODS_REFUSED', message])
      assert.match(finding?.fix ?? '', fix)
    })
  }
})

/** A pod with one container in a state. */
function toPod(container: object, status: object = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'server' }], volumes: [{ persistentVolumeClaim: { claimName: 'data' } }] },
    status: {
      containerStatuses: [{ name: 'server', image: 'r/i:1', ready: false, restartCount: 0, ...container }],
      ...status,
    },
  }
}

function toEvent(kind: string, name: string, reason: string, message: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' }, involvedObject: { kind, name }, reason, message }
}

describe('diagnosePod()', () => {
  const pulls: [message: string, code: Finding['code']][] = [
    ['no match for platform in manifest sha256:1f: not found', 'IMAGE_PLATFORM'],
    ['pull access denied, repository does not exist or may require authorization', 'IMAGE_NOT_FOUND'],
    ['failed to authorize: 401 Unauthorized', 'IMAGE_UNAUTHORIZED'],
    ['dial tcp: lookup registry.example.com: no such host', 'REGISTRY_UNREACHABLE'],
    ['unexpected media type', 'IMAGE_PULL'],
  ]
  for (const [message, code] of pulls) {
    it(`reads "${message}" as ${code}`, () => {
      const pod = toPod({ state: { waiting: { reason: 'ImagePullBackOff', message: 'Back-off' } } })
      const events = [toEvent('Pod', 'p', 'Failed', `Failed to pull image "r/i:1": ${message}`)]
      assert.equal(diagnosePod(pod, around({ events }))?.code, code)
    })
  }

  it('reads only what was said of the pod itself', () => {
    const pod = toPod({ state: { waiting: { reason: 'ImagePullBackOff', message: 'no such host' } } })
    const events = [toEvent('Pod', 'another', 'Failed', 'Failed to pull image "r/i:1": 401 Unauthorized')]
    assert.equal(diagnosePod(pod, around({ events }))?.code, 'REGISTRY_UNREACHABLE')
  })

  it('is patient with a container that ended well for the first time', () => {
    const end = (restartCount: number): KubeObject =>
      toPod({ restartCount, state: { terminated: { exitCode: 0, reason: 'Completed' } } })
    assert.equal(diagnosePod(end(0), around()), undefined)
    assert.equal(diagnosePod(end(1), around())?.code, 'CRASH_LOOP')
  })

  const startedAt = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString()
  it('is patient with a start, and then tells what the probe got', () => {
    const events = [toEvent('Pod', 'p', 'Unhealthy', 'Startup probe failed: HTTP probe failed with statuscode: 503')]
    const run = (seconds: number): KubeObject => toPod({ state: { running: { startedAt: startedAt(seconds) } } })
    assert.equal(diagnosePod(run(5), around({ events })), undefined)
    const finding = diagnosePod(run(40), around({ events }))
    assert.equal(finding?.code, 'PROBE_FAILING')
    assert.match(finding.evidence, /statuscode: 503 \(40 s after its start\)/)
  })

  it('finds nothing wrong with a replica that is ready, whatever it went through', () => {
    const lastState = { terminated: { reason: 'OOMKilled', exitCode: 137 } }
    assert.equal(diagnosePod(toPod({ ready: true, restartCount: 3, lastState }), around()), undefined)
  })

  it('tells of the volume what its claim is told', () => {
    const message = 'pod has unbound immediate PersistentVolumeClaims'
    const pod = toPod({}, { conditions: [{ type: 'PodScheduled', status: 'False', message }] })
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data' },
      status: { phase: 'Pending' },
    }
    const events = [toEvent('PersistentVolumeClaim', 'data', 'FailedBinding', 'no storage class is set')]
    const finding = diagnosePod(pod, around({ events, claims: [claim] }))
    assert.deepEqual(
      [finding?.code, finding?.evidence],
      ['VOLUME_PENDING', 'volume claim data: no storage class is set'],
    )
    assert.match(finding?.fix ?? '', /^kubectl delete pvc data .*storage\.class .*storage\.ephemeral.*regatta deploy$/)
  })

  it('tells the peak of one that was killed for its memory, and the size of its model', () => {
    const message = [
      '{"level":30,"path":"/models/m/1/model.onnx","sizeBytes":67108864,"msg":"loading"}',
      '{"level":30,"heldBytes":99614720,"limitBytes":134217728,"msg":"memory"}',
    ].join('\n')
    const lastState = { terminated: { reason: 'OOMKilled', exitCode: 137, message } }
    const pod = toPod({ restartCount: 2, lastState })
    const spec = { containers: [{ name: 'server', resources: { limits: { memory: '1.5Gi' } } }] }
    const finding = diagnosePod({ ...pod, spec }, around())
    assert.equal(
      finding?.evidence,
      'it reached its limit of 1.5Gi and was killed (2 restarts); its peak before was 95.0 MiB; ' +
        'the files of its model are 64.0 MiB',
    )
    assert.match(finding.fix, /limits\.memory to 3Gi or more, then: regatta deploy/)
  })

  it('knows that memory of a gateway has no key of its own', () => {
    const lastState = { terminated: { reason: 'OOMKilled', exitCode: 137 } }
    const pod = toPod({ name: 'gateway', restartCount: 1, lastState })
    const spec = { containers: [{ name: 'gateway', resources: { limits: { memory: '512Mi' } } }] }
    assert.match(diagnosePod({ ...pod, spec }, around())?.fix ?? '', /container gateway, by .*overlay .* to 1024Mi/)
  })

  const configs: [message: string, fix: RegExp][] = [
    ['secret "events" not found', /^Make it: kubectl create secret generic events --namespace team/],
    ['container has runAsNonRoot and image will run as root', /overlay.*kubectl describe pod p --namespace team/],
  ]
  for (const [message, fix] of configs) {
    it(`knows what to do about ${message}`, () => {
      const pod = toPod({ state: { waiting: { reason: 'CreateContainerConfigError', message } } })
      const finding = diagnosePod({ ...pod, metadata: { name: 'p', namespace: 'team' } }, around())
      assert.deepEqual([finding?.code, finding?.evidence], ['CONTAINER_CONFIG', message])
      assert.match(finding?.fix ?? '', fix)
    })
  }

  const fixes: [message: string, fix: RegExp][] = [
    ['0/3 nodes are available: 3 node(s) had untolerated taint {gpu: }', /tolerations/],
    ["0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector", /nodeSelector/],
    ['0/3 nodes are available: 3 Insufficient memory.', /serve\.resources\.requests\.memory/],
    ['0/3 nodes are available: 3 Insufficient nvidia.com/gpu.', /nvidia\.com\/gpu in targets\.kubernetes\.overlay/],
    ["0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints", /ScheduleAnyway/],
    ['0/3 nodes are available: 3 Too many pods', /kubectl describe nodes/],
  ]
  for (const [message, fix] of fixes) {
    it(`knows what to do about "${message}"`, () => {
      const pod = toPod({}, { conditions: [{ type: 'PodScheduled', status: 'False', message }] })
      assert.match(diagnosePod(pod, around())?.fix ?? '', fix)
    })
  }
})

describe('diagnoseService()', () => {
  const service = (ageMs: number, ingress: readonly object[] = []): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', creationTimestamp: new Date(NOW - ageMs).toISOString() },
    spec: { type: 'LoadBalancer' },
    status: { loadBalancer: { ingress } },
  })
  it('waits for an address, and then says that nothing gives one', () => {
    assert.equal(diagnoseService(service(1000), around()), undefined)
    assert.equal(diagnoseService(service(60_000, [{ ip: '10.0.0.1' }]), around()), undefined)
    assert.equal(diagnoseService(service(60_000), around())?.code, 'LOAD_BALANCER_PENDING')
  })

  it('names a Service that leads to none of the pods that are ready', () => {
    const slice = (endpoints: readonly object[], of = 's'): KubeObject => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${of}-1`, labels: { 'kubernetes.io/service-name': of } },
      endpoints,
    })
    assert.equal(diagnoseEndpoints(service(0), [slice([])], 2)?.code, 'NO_ENDPOINTS')
    assert.equal(diagnoseEndpoints(service(0), [slice([])], 0), undefined)
    assert.equal(
      diagnoseEndpoints(service(0), [slice([{ conditions: { ready: true } }], 'other')], 2)?.code,
      'NO_ENDPOINTS',
    )
    assert.equal(diagnoseEndpoints(service(0), [slice([{ conditions: { ready: true } }])], 2), undefined)
  })
})
