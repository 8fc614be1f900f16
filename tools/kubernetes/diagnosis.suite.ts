import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusJson } from '../../src/control/index.ts'
import { parseDigest } from '../../src/core/brands.ts'
import { isObject } from '../../src/core/json.ts'
import { type Descriptor, openLayout } from '../../src/oci/index.ts'
import { toModel } from '../../src/serve/testing/onnx-model.ts'
import { type Harbour, openHarbour } from './namespace.ts'
import { writeIndex, writeShellBase } from './shell-base.ts'

/** A registry that lets nobody in. */
async function openClosedRegistry(): Promise<AsyncDisposable & { readonly name: string }> {
  const server = createServer((_, response) => {
    const errors = [{ code: 'UNAUTHORIZED', message: 'authentication required' }]
    response.writeHead(401, { 'content-type': 'application/json', 'www-authenticate': 'Basic realm="closed"' })
    response.end(JSON.stringify({ errors }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const name = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    name,
    [Symbol.asyncDispose]: () => close(server),
  }
}

/** The API of a cluster in which nothing is, of a version. */
async function openApi(minor: string): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    const isVersion = request.url === '/version'
    response.writeHead(isVersion ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isVersion ? { major: '1', minor } : { kind: 'Status', status: 'Failure', code: 404 }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => close(server),
  }
}

/** A proxy that leads anywhere by CONNECT, and counts. */
async function openProxy(): Promise<AsyncDisposable & { readonly url: string; readonly count: () => number }> {
  let count = 0
  const server = createServer()
  server.on('connect', ({ url = '' }, client) => {
    count += 1
    const { hostname, port } = new URL(`http://${url}`)
    const there = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      there.pipe(client).pipe(there)
    })
    client.on('error', () => there.destroy())
    there.on('error', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => count,
    [Symbol.asyncDispose]: () => close(server),
  }
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  server.close()
}

interface Process {
  readonly name: string
  readonly state: string
  readonly code: string | null
  readonly reason: string | null
}

interface Status {
  readonly ready: boolean
  readonly variants: readonly { readonly name: string; readonly replicas: readonly Process[] }[]
}

/** References of images for other processors: with one for this, in an index without, and alone. */
interface Foreign {
  readonly both: string
  readonly index: string
  readonly image: string
}

interface Plan {
  readonly changes: readonly { readonly object: string; readonly fields: readonly string[] }[]
}

/** y = 3 x, and the sum of 64 MiB of zeros. */
function toLargeModel(): Uint8Array {
  const value = (name: string) => ({ name, dtype: 'float32', shape: ['batch', 1] }) as const
  return toModel({
    nodes: [
      { operator: 'Mul', inputs: ['x', 'w'], outputs: ['product'] },
      { operator: 'ReduceSum', inputs: ['zeros'], outputs: ['nothing'], attributes: { keepdims: 0 } },
      { operator: 'Add', inputs: ['product', 'nothing'], outputs: ['y'] },
    ],
    inputs: [value('x')],
    outputs: [value('y')],
    constants: {
      w: { shape: [1], values: Float32Array.of(3) },
      zeros: { shape: [2 ** 24], values: new Float32Array(2 ** 24) },
    },
  })
}

const SCRATCH = { name: 'scratch', emptyDir: {} }
/** A balancer of a kind that no cluster has. */
const NO_BALANCER = '{ kind: Service, part: gateway, patch: { spec: { loadBalancerClass: example.com/nobody } } }'
const STRATEGIC = 'application/strategic-merge-patch+json'

describe('a replica that does not get ready', () => {
  let harbour: Harbour
  before(async () => {
    harbour = await openHarbour()
    await harbour.pack(3)
    await harbour.regatta(['deploy'])
  })
  after(async () => await harbour?.[Symbol.asyncDispose]())

  const path = (): string => `/apis/apps/v1/namespaces/${harbour.namespace}/deployments/linear-a-1`
  const patch = (spec: object): Promise<unknown> =>
    harbour.admin.ask('PATCH', path(), { body: { spec }, type: STRATEGIC })
  const patchContainer = (container: object): Promise<unknown> =>
    patch({ template: { spec: { containers: [{ name: 'server', ...container }] } } })

  /** Looks at the status until a replica fails with the code; it must not be called ready then. */
  async function untilFailing(code: string): Promise<string> {
    for (let waited = 0; waited < 80; waited += 1) {
      const { ready, variants } = await harbour.regatta<Status>(['status'])
      const found = variants.flatMap(({ replicas }) => replicas).find(replica => replica.code === code)
      if (found !== undefined) {
        assert.equal(ready, false)
        return found.reason ?? ''
      }
      await sleep(1000)
    }
    const { out } = await harbour.run(['status'])
    return assert.fail(`no replica failed with ${code}: ${out}`)
  }

  const cases: [name: string, code: string, container: object, reason: RegExp][] = [
    [
      'crashes, with its last words',
      'CRASH_LOOP',
      { args: ['--nonsense'] },
      /exit code 2 .*nonsense.*regatta logs linear-a-1/s,
    ],
    [
      'finds no node, with what is missing',
      'UNSCHEDULABLE',
      { args: null, resources: { requests: { cpu: '900', memory: '96Mi' }, limits: { memory: '256Mi' } } },
      /Insufficient cpu.*serve\.resources\.requests\.cpu/s,
    ],
    [
      'has an image that is not there',
      'IMAGE_NOT_FOUND',
      { resources: { requests: { cpu: '20m' } }, image: `${process.env['REGATTA_TEST_REGISTRY']}/nobody/nothing:1` },
      /nobody\/nothing.*regatta push/s,
    ],
  ]
  it('grows beyond its memory under requests, with its peak and the limit to raise', async () => {
    await patchContainer({ resources: { requests: { memory: '96Mi' }, limits: { memory: '128Mi' } } })
    const url = await untilServing('128Mi')
    const body = JSON.stringify({ instances: Array.from({ length: 2_000_000 }, (_, x) => [x]) })
    const stop = new AbortController()
    const flood = (async () => {
      while (!stop.signal.aborted) {
        // Nobody answers once it is killed.
        await Promise.allSettled([1, 2, 3, 4].map(() => fetch(url, { method: 'POST', body, signal: stop.signal })))
        await sleep(100)
      }
    })()
    const reason = await untilFailing('OOM')
    stop.abort()
    await flood
    assertPeak(reason, 128)
    assert.match(reason, /the files of its model are \d+ KiB; try: .*limits\.memory to 256Mi or more.*regatta deploy/)
  })

  it('dies for want of memory while it loads, with its peak and the size of its model', async () => {
    const { digest } = await harbour.packModel(toLargeModel())
    await patchContainer({ image: `${process.env['REGATTA_TEST_REGISTRY']}/${harbour.namespace}/linear@${digest}` })
    for (let looks = 1; ; looks += 1) {
      const reason = await untilFailing('OOM')
      if (/files of its model are 64\.0 MiB/.test(reason)) return assertPeak(reason, 128)
      assert.ok(looks < 60, reason)
      await sleep(1000)
    }
  })

  /** A server that tells its memory holds some MiB before it does anything, and never more than its limit. */
  function assertPeak(reason: string, limitMiB: number): void {
    const peak = Number(/its peak before was ([\d.]+) MiB/.exec(reason)?.[1])
    assert.ok(peak > 8 && peak <= limitMiB, reason)
  }

  /** Waits for a pod that is ready with a limit of memory; the address of its predictions. */
  async function untilServing(memory: string): Promise<string> {
    const query = 'labelSelector=regatta.dev/variant%3Da'
    for (let looks = 1; ; looks += 1) {
      const list = await harbour.admin.ask('GET', `/api/v1/namespaces/${harbour.namespace}/pods?${query}`)
      const items = isObject(list) && Array.isArray(list['items']) ? list['items'] : []
      const pod = items.find(
        ({ spec, status }) =>
          spec.containers[0].resources.limits?.memory === memory && status.containerStatuses?.[0]?.ready === true,
      )
      if (pod !== undefined) return `http://${pod.status.podIP}:8501/v1/models/linear:predict`
      assert.ok(looks < 120, JSON.stringify(items))
      await sleep(500)
    }
  }

  for (const [name, code, container, reason] of cases) {
    it(name, async () => {
      await patchContainer(container)
      assert.match(await untilFailing(code), reason)
    })
  }

  it('has an image that the nodes may not pull', async () => {
    // Nodes ask a registry of their own machine without TLS.
    await using registry = await openClosedRegistry()
    await patchContainer({ image: `${registry.name}/team/private:1` })
    assert.match(await untilFailing('IMAGE_UNAUTHORIZED'), /team\/private.*imagePullSecrets/s)
  })

  it('is refused by Pod Security', async () => {
    await patchContainer({ securityContext: { allowPrivilegeEscalation: true } })
    assert.match(await untilFailing('POD_SECURITY'), /allowPrivilegeEscalation.*overlay/s)
  })

  it('is over the quota', async () => {
    const quotas = `/api/v1/namespaces/${harbour.namespace}/resourcequotas`
    await harbour.admin.ask('POST', quotas, {
      body: { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'few' }, spec: { hard: { pods: '1' } } },
    })
    try {
      await patchContainer({
        securityContext: { allowPrivilegeEscalation: false },
        env: [{ name: 'AGAIN', value: '1' }],
      })
      assert.match(await untilFailing('QUOTA'), /quota: few/)
    } finally {
      await harbour.admin.ask('DELETE', `${quotas}/few`)
    }
  })

  /** Pushes an index with images for this processor and another, and one with the other's alone. */
  async function pushForOthers(): Promise<Foreign> {
    const { folder } = harbour.place
    const layout = await openLayout(join(folder, '.regatta', 'oci'))
    await writeShellBase(layout, (await harbour.pack(3)).digest, join(folder, 'base'), ['arm64'])
    harbour.configure({ image: 'base: oci:base\n  platforms: [linux/amd64, linux/arm64]' })
    const { digest } = await harbour.pack(3)
    const { manifests }: { readonly manifests: readonly Descriptor[] } = JSON.parse(
      new TextDecoder().decode(await layout.readBlob(parseDigest(digest))),
    )
    const foreign = manifests.filter(({ platform }) => platform?.architecture === 'arm64')
    await layout.enter(await writeIndex(layout, foreign), { ref: 'foreign' })
    const repository = `${process.env['REGATTA_TEST_REGISTRY']}/${harbour.namespace}/linear`
    await harbour.regatta(['copy', 'oci:.regatta/oci:foreign', `${repository}:foreign`])
    return {
      both: `${repository}@${digest}`,
      index: `${repository}:foreign`,
      image: `${repository}@${foreign[0]?.digest}`,
    }
  }
  let foreign: Foreign

  it('does not answer its probe', async () => {
    const { digest } = await harbour.pack(3)
    await patchContainer({
      image: `${process.env['REGATTA_TEST_REGISTRY']}/${harbour.namespace}/linear@${digest}`,
      startupProbe: { httpGet: { path: '/nowhere' } },
    })
    // It is given half a minute.
    foreign = await pushForOthers()
    assert.match(await untilFailing('PROBE_FAILING'), /Startup probe failed.*404/s)
  })

  it('has an image for other processors, in an index or alone', async () => {
    await patchContainer({ image: foreign.index, startupProbe: { httpGet: { path: '/readyz' } } })
    assert.match(await untilFailing('IMAGE_PLATFORM'), /linear:foreign is not for the platform.*image\.platforms/s)
    await patchContainer({ image: foreign.image })
    for (let looks = 1; ; looks += 1) {
      const reason = await untilFailing('IMAGE_PLATFORM')
      if (/exec format error/.test(reason)) break
      assert.ok(looks < 60, reason)
      await sleep(1000)
    }
  })

  it('gets ready with the image for its processor out of an index', async () => {
    await patchContainer({ image: foreign.both })
    for (let looks = 1; !(await harbour.regatta<Status>(['status'])).ready; looks += 1) {
      assert.ok(looks < 60, 'the index with an image for the node does not run')
      await sleep(1000)
    }
  })
})

describe('a gateway that clients cannot reach', () => {
  let harbour: Harbour
  before(async () => {
    harbour = await openHarbour({ kubernetes: `overlay: [${NO_BALANCER}]` })
    await harbour.pack(3)
  })
  after(async () => await harbour?.[Symbol.asyncDispose]())

  async function untilCode(code: string): Promise<string> {
    for (let looks = 1; ; looks += 1) {
      const { gateway, ready } = await harbour.regatta<StatusJson>(['status'])
      if (gateway.process.code === code) {
        assert.equal(ready, false)
        return gateway.process.reason ?? ''
      }
      assert.ok(looks < 80, `${code} wanted, found ${gateway.process.code}`)
      await sleep(1000)
    }
  }

  it('has no address, since nothing gives it one', async () => {
    await harbour.regatta(['deploy', '--no-wait'])
    assert.match(await untilCode('LOAD_BALANCER_PENDING'), /linear-gateway.*targets\.kubernetes\.expose/)
  })

  it('has a Service that leads nowhere', async () => {
    harbour.configure({ kubernetes: 'expose: ClusterIP' })
    await harbour.admin.ask('DELETE', `/api/v1/namespaces/${harbour.namespace}/services/linear-gateway`)
    await harbour.regatta(['deploy'])
    await harbour.admin.ask('PATCH', `/api/v1/namespaces/${harbour.namespace}/services/linear-gateway`, {
      body: { spec: { selector: { nobody: 'here' } } },
      type: STRATEGIC,
    })
    assert.match(await untilCode('NO_ENDPOINTS'), /linear-gateway leads to none of 2 ready pods.*--force-conflicts/)
    await harbour.regatta(['deploy', '--force-conflicts'])
  })
})

describe('a deployment that is refused', () => {
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
})
