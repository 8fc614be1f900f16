import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isObject } from '../../../src/core/json.ts'
import { type Harbour, openHarbour } from '../namespace.ts'
import { openApi, openProxy } from './doors.ts'

interface Plan {
  readonly changes: readonly { readonly object: string; readonly fields: readonly string[] }[]
}

const SCRATCH = { name: 'scratch', emptyDir: {} }

/** A command that cannot do its work says why, and what it does not own stays as it is. */
export function tellOfRefusal(): void {
  let harbour: Harbour
  before(async () => {
    harbour = await openHarbour()
    await harbour.pack(3)
  })
  after(async () => await harbour?.[Symbol.asyncDispose]())

  async function refuse(code: string, words: RegExp, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const { code: exit, out } = await harbour.run(['deploy', '--json'], env)
    assert.notEqual(exit, 0)
    const { error } = JSON.parse(out) as { readonly error: { readonly code: string; readonly message: string } }
    assert.equal(error.code, code, error.message)
    assert.match(error.message, words)
  }

  function writeConfig(name: string, server: string, token: string): Readonly<Record<string, string>> {
    const path = join(harbour.place.folder, name)
    const cluster = { server, 'insecure-skip-tls-verify': true }
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'c',
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'c', user: { token } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
    }
    writeFileSync(path, JSON.stringify(config))
    return { KUBECONFIG: path }
  }

  it('says that there is no kubeconfig', async () => {
    await refuse('KUBE_CONFIG', /kubeconfig/, { KUBECONFIG: '/nowhere' })
  })

  it('says that nobody answers', async () => {
    await refuse('KUBE_UNREACHABLE', /ECONNREFUSED/, writeConfig('away.json', 'https://127.0.0.1:1', 'x'))
  })

  it('says that the credentials are not accepted', async () => {
    await refuse('KUBE_CREDENTIALS', /credentials/, writeConfig('stranger.json', harbour.admin.server, 'x'))
  })

  it('says that the cluster is too old', async () => {
    await using old = await openApi('29')
    await refuse('KUBE_VERSION', /Kubernetes 1\.29: expected 1\.30 or newer/, writeConfig('old.json', old.url, 'x'))
  })

  it('says that there is no such context', async () => {
    await refuse('KUBE_CONTEXT', /"moon"/, { REGATTA_TARGETS_KUBERNETES_CONTEXT: 'moon' })
  })

  it('says that there is no such namespace', async () => {
    const { KUBECONFIG = '' } = process.env
    const env = { KUBECONFIG, REGATTA_TARGETS_KUBERNETES_NAMESPACE: 'regatta-nowhere' }
    await refuse('KUBE_NAMESPACE', /regatta-nowhere/, env)
  })

  it('says that what gateway and control run was never pushed', async () => {
    const env = { REGATTA_IMAGE_REPOSITORY: `${process.env['REGATTA_TEST_REGISTRY']}/nobody/nothing` }
    await refuse('KUBE_RUNTIME', /nobody\/nothing:regatta-/, env)
  })

  it('goes to the cluster of the context that the project names', async () => {
    const config = JSON.parse(readFileSync(harbour.kubeconfig, 'utf8'))
    config.clusters.push({ name: 'away', cluster: { server: 'https://127.0.0.1:1' } })
    config.contexts.push({ name: 'away', context: { cluster: 'away', user: 'deployer' } })
    config['current-context'] = 'away'
    const path = join(harbour.place.folder, 'two.json')
    writeFileSync(path, JSON.stringify(config))
    await refuse('KUBE_UNREACHABLE', /ECONNREFUSED/, { KUBECONFIG: path })
    const env = { KUBECONFIG: path, REGATTA_TARGETS_KUBERNETES_CONTEXT: 'deployer' }
    const { code, err, out } = await harbour.run(['deploy', '--dry-run'], env)
    assert.equal(code, 0, err)
    assert.match(out, /create.*Deployment\/linear-gateway/)
  })

  it('says that the quota of the namespace is exceeded', async () => {
    const quotas = `/api/v1/namespaces/${harbour.namespace}/resourcequotas`
    const spec = { hard: { 'count/configmaps': '0' } }
    await harbour.admin.ask('POST', quotas, {
      body: { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none' }, spec },
    })
    try {
      await untilCounted(`${quotas}/none`)
      await refuse('KUBE_QUOTA', /exceeded quota: none/)
    } finally {
      await harbour.admin.ask('DELETE', `${quotas}/none`)
    }
  })

  /** Until the cluster has counted what is there, a quota refuses everything in other words. */
  async function untilCounted(path: string): Promise<void> {
    const deadline = Date.now() + 60_000
    for (;;) {
      const quota = await harbour.admin.ask('GET', path)
      if (isObject(quota) && isObject(quota['status']) && isObject(quota['status']['used'])) return
      assert.ok(Date.now() < deadline, 'The quota is not counted')
      await sleep(200)
    }
  }

  it('says what it may not do', async () => {
    await refuse('KUBE_FORBIDDEN', /linear-deployer/, { REGATTA_TARGETS_KUBERNETES_NAMESPACE: 'default' })
  })

  it('logs in by the program of the kubeconfig, through the proxy of the kubeconfig', async () => {
    const { folder } = harbour.place
    const config = JSON.parse(readFileSync(harbour.kubeconfig, 'utf8'))
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: config.users[0].user,
    }
    writeFileSync(join(folder, 'credential.json'), JSON.stringify(credential))
    const exec = { apiVersion: credential.apiVersion, command: 'cat', args: [join(folder, 'credential.json')] }
    config.users[0].user = { exec: { ...exec, interactiveMode: 'Never' } }
    await using proxy = await openProxy()
    config.clusters[0].cluster['proxy-url'] = proxy.url
    writeFileSync(join(folder, 'exec.json'), JSON.stringify(config))
    const { code, err, out } = await harbour.run(['deploy', '--dry-run'], { KUBECONFIG: join(folder, 'exec.json') })
    assert.equal(code, 0, err)
    assert.match(out, /create.*Deployment\/linear-gateway/)
    assert.ok(proxy.count() > 0)
  })

  it('leaves an object alone that is not its own', async () => {
    const services = `/api/v1/namespaces/${harbour.namespace}/services`
    await harbour.admin.ask('POST', services, {
      body: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'linear-gateway', labels: { 'app.kubernetes.io/managed-by': 'Helm' } },
        spec: { ports: [{ port: 80 }] },
      },
    })
    await refuse('KUBE_FOREIGN', /Service\/linear-gateway.*Helm/)
    await harbour.admin.ask('DELETE', `${services}/linear-gateway`)
  })

  it('tells who else has set a field', async () => {
    await harbour.regatta(['deploy'])
    const path = `/apis/apps/v1/namespaces/${harbour.namespace}/deployments/linear-gateway`
    await harbour.admin.ask('PATCH', `${path}?fieldManager=somebody`, {
      body: { spec: { replicas: 3 } },
      type: 'application/merge-patch+json',
    })
    await refuse('KUBE_CONFLICT', /\.spec\.replicas \(set by somebody\)/)
    const plan = await harbour.regatta<Plan>(['deploy', '--dry-run', '--force-conflicts'])
    const gateway = plan.changes.find(({ object }) => object === 'Deployment/linear-gateway')
    assert.deepEqual(gateway?.fields, ['.spec.replicas: 3 → 2'])
    await harbour.regatta(['deploy', '--force-conflicts'])
  })

  it('has a token that whoever may read its Secret is told, whoever deployed', async () => {
    rmSync(join(harbour.place.folder, '.regatta', 'token'))
    const { token } = await harbour.regatta<{ readonly token: string }>(['token', 'admin'])
    const secret = await harbour.admin.ask('GET', `/api/v1/namespaces/${harbour.namespace}/secrets/linear-token`)
    const data = isObject(secret) && isObject(secret['data']) ? secret['data'] : {}
    assert.equal(token, Buffer.from(String(data['admin']), 'base64').toString())
  })

  it('has all that the keys say of resources and placement taken by the API, and an overlay that it knows', async () => {
    const overlay = [
      { kind: 'Deployment', part: 'server', patch: { spec: { template: { spec: { volumes: [SCRATCH] } } } } },
      { kind: 'Service', part: 'gateway', patch: { metadata: { annotations: { 'example.com/internal': 'true' } } } },
    ]
    const keys = {
      overlay,
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
      topologySpread: [{ maxSkew: 2, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' }],
      imagePullSecrets: ['registry'],
      env: { MODE: 'test' },
      priorityClass: 'urgent',
    }
    const toLines = (all: object): string =>
      Object.entries(all)
        .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
        .join('\n    ')
    harbour.configure({ kubernetes: toLines(keys) })
    const { changes } = await harbour.regatta<Plan>(['deploy', '--dry-run', '--force-conflicts'])
    const fields = changes.flatMap(({ fields }) => fields).join('\n')
    for (const name of [
      'nodeSelector',
      'tolerations',
      'topologySpreadConstraints',
      'imagePullSecrets',
      'env',
      'volumes',
      'priorityClassName',
    ])
      assert.match(fields, new RegExp(name))
    assert.match(fields, /example\.com\/internal/)
    const patch = { spec: { template: { spec: { wheels: 4 } } } }
    harbour.configure({ kubernetes: toLines({ overlay: [{ kind: 'Deployment', part: 'server', patch }] }) })
    const { code, out } = await harbour.run(['deploy', '--dry-run', '--force-conflicts', '--json'])
    assert.equal(code, 1)
    assert.match(out, /KUBE_REFUSED.*wheels/s)
  })

  it('says that no volume can be had', async () => {
    harbour.configure({ kubernetes: 'storage: { size: 1Gi, class: nowhere }' })
    const { code, out } = await harbour.run(['deploy', '--json'])
    assert.equal(code, 1)
    assert.match(out, /KUBE_NOT_READY.*VOLUME_PENDING.*nowhere/s)
    const [, claim = ''] = /kubectl delete pvc (\S+) --namespace/.exec(out) ?? []
    await harbour.admin.ask('DELETE', `/api/v1/namespaces/${harbour.namespace}/persistentvolumeclaims/${claim}`)
    harbour.configure({})
    await harbour.regatta(['deploy', '--force-conflicts'])
  })
}
