import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isObject } from '../../src/core/json.ts'
import { type Load, startLoad } from './load.ts'
import { type Harbour, openHarbour } from './namespace.ts'
import { openPredictor } from './predictor.ts'

/** All that answers while everything is moved about, and not one request less. */
const WANTED = 50_000

interface Status {
  readonly ready: boolean
  readonly gateway: { readonly url: string }
  readonly variants: readonly {
    readonly name: string
    readonly role: string
    readonly replicas: readonly { readonly name: string; readonly state: string }[]
  }[]
}

/** What regatta finds the objects of the deployment by. */
function toOwnLabels(): object {
  return { 'app.kubernetes.io/managed-by': 'regatta', 'app.kubernetes.io/instance': 'linear' }
}

interface Plan {
  readonly changes: readonly { readonly object: string; readonly change: string }[]
}

describe('a deployment under steady load', () => {
  let harbour: Harbour
  let load: Load
  before(async () => {
    harbour = await openHarbour()
    await harbour.pack(3)
    const { gateway } = await harbour.regatta<{ readonly gateway: string }>(['deploy'])
    load = startLoad(`${gateway}/v1/models/linear:predict`, { instances: [[2]] }, [
      { predictions: [[6]] },
      { predictions: [[8]] },
    ])
  })
  after(async () => {
    await load?.[Symbol.asyncDispose]()
    await harbour?.[Symbol.asyncDispose]()
  })

  /** Names of the ready replicas of the first variant, and whether all is ready. */
  async function look(variant: string): Promise<{ readonly whole: boolean; readonly names: readonly string[] }> {
    const { ready, variants } = await harbour.regatta<Status>(['status'])
    const replicas = variants.find(({ name }) => name === variant)?.replicas ?? []
    return { whole: ready, names: replicas.filter(({ state }) => state === 'ready').map(({ name }) => name) }
  }

  async function listReady(variant: string): Promise<readonly string[]> {
    return (await look(variant)).names
  }

  async function untilReady(variant: string, count: number): Promise<void> {
    for (let waited = 0; ; waited += 1) {
      const { names, whole } = await look(variant)
      if (whole && names.length === count) return
      assert.ok(waited < 60, `${names.length} of ${count} replicas of ${variant} are ready`)
      await sleep(500)
    }
  }

  /** What the cluster does with pods, and what people do to Deployments. */
  const podPath = (name: string): string => `/api/v1/namespaces/${harbour.namespace}/pods/${name}`
  const deploymentPath = (name: string): string => `/apis/apps/v1/namespaces/${harbour.namespace}/deployments/${name}`
  const patch = (name: string, body: object): Promise<unknown> =>
    harbour.admin.ask('PATCH', deploymentPath(name), { body, type: 'application/merge-patch+json' })

  async function untilRolledOut(name: string): Promise<void> {
    for (let waited = 0; waited < 120; waited += 1) {
      const object = await harbour.admin.ask('GET', deploymentPath(name))
      const { spec, status, metadata } = isObject(object) ? object : {}
      const [wanted, now, own] = [spec, status, metadata].map(part => (isObject(part) ? part : {}))
      if (
        now?.['observedGeneration'] === own?.['generation'] &&
        now?.['updatedReplicas'] === wanted?.['replicas'] &&
        now?.['readyReplicas'] === wanted?.['replicas'] &&
        now?.['replicas'] === wanted?.['replicas']
      )
        return
      await sleep(500)
    }
    assert.fail(`${name} is not rolled out after a minute`)
  }

  const configMaps = (): string => `/api/v1/namespaces/${harbour.namespace}/configmaps`
  const readConfigMap = (name: string): Promise<unknown> => harbour.admin.ask('GET', `${configMaps()}/${name}`)
  const makeConfigMap = (name: string, labels: object): Promise<unknown> =>
    harbour.admin.ask('POST', configMaps(), {
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels } },
    })

  /** Requests that a replica answered over gRPC, by its own metrics. */
  async function countGrpcAnswers(name: string): Promise<number> {
    const pod = await harbour.admin.ask('GET', podPath(name))
    const status = isObject(pod) && isObject(pod['status']) ? pod['status'] : {}
    const text = await (await fetch(`http://${status['podIP']}:8501/metrics`)).text()
    const counts = text.matchAll(/^regatta_server_requests_total\{protocol="tfs-grpc"[^}]*\} (\d+)/gm)
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
  }

  function assertNothingLost(): void {
    assert.deepEqual(load.counts.failures, [])
  }

  /** Waits until an event of the namespace says so. */
  async function untilTold(reason: string, words: RegExp): Promise<void> {
    for (let looks = 1; ; looks += 1) {
      const events = await harbour.admin.ask('GET', `/api/v1/namespaces/${harbour.namespace}/events`)
      const items = isObject(events) && Array.isArray(events['items']) ? events['items'] : []
      if (items.some(event => event.reason === reason && words.test(String(event.message)))) return
      assert.ok(looks < 60, `no event ${reason}`)
      await sleep(500)
    }
  }

  it('is scaled from 1 to 5 and to 2, and what the project asks for no more goes', async () => {
    await makeConfigMap('linear-left', toOwnLabels())
    await makeConfigMap('bystander', {})
    harbour.configure({ replicas: 5 })
    await harbour.regatta(['deploy'])
    assert.equal(await readConfigMap('linear-left'), undefined)
    await untilReady('a', 5)
    harbour.configure({ replicas: 2 })
    await harbour.regatta(['deploy'])
    await untilReady('a', 2)
    assertNothingLost()
  })

  it('is what render prints, each time', async () => {
    const [first, second] = [await harbour.run(['render']), await harbour.run(['render'])]
    assert.equal(first.out, second.out)
    // Control writes the record of the routes.
    const parts = first.out.split(/^---$/m).filter(part => !/^ {2}name: linear-routes$/m.test(part))
    const args = ['diff', '--server-side', '--field-manager', 'regatta', '--filename', '-']
    const { status, stdout, stderr } = spawnSync('kubectl', args, { encoding: 'utf8', input: parts.join('---') })
    assert.equal(status, 0, stdout + stderr)
  })

  it('has the calls of one gRPC connection balanced', async () => {
    const { gateway } = await harbour.regatta<Status>(['status'])
    using client = openPredictor(`${new URL(gateway.url).hostname}:8500`)
    for (let calls = 0; calls < 20; calls += 1) assert.deepEqual(await client.predict('linear', 2), [6])
    const answered = await Promise.all((await listReady('a')).map(countGrpcAnswers))
    assert.ok(answered.length === 2 && answered.every(count => count > 0), JSON.stringify(answered))
    assertNothingLost()
  })

  it('is rolled over pod by pod when its configuration changes', async () => {
    const old = await listReady('a')
    harbour.configure({ replicas: 2, kubernetes: 'env: { ROLL: again }' })
    await harbour.regatta(['deploy'])
    await untilRolledOut('linear-a-1')
    await untilReady('a', 2)
    assert.deepEqual(
      (await listReady('a')).filter(name => old.includes(name)),
      [],
    )
    assertNothingLost()
  })

  it('is promoted and rolled back', async () => {
    const { version } = await harbour.pack(4)
    await harbour.regatta(['deploy', String(version), '--challenger', 'b', '--weight', '20%'])
    await untilReady('b', 2)
    const promoted = await harbour.regatta<{ readonly champion: string }>(['promote'])
    assert.equal(promoted.champion, 'b')
    const { changes } = await harbour.regatta<Plan>(['deploy', '1', '--dry-run'])
    const isOf = ({ object, change }: Plan['changes'][number]): boolean =>
      /^Deployment\/linear-[a-z]-/.test(object) && change !== 'keep'
    // The champion is b, whose version 1 would be a third variant.
    assert.deepEqual(
      changes
        .filter(isOf)
        .map(({ object, change }) => `${change} ${object}`)
        .toSorted(),
      ['create Deployment/linear-b-3', 'delete Deployment/linear-b-2'],
    )
    await sleep(1000)
    const back = await harbour.regatta<{ readonly champion: string }>(['rollback'])
    assert.equal(back.champion, 'a')
    await untilTold('ChampionChanged', /The champion is b \(version 2\); it was a \(version 1\)/)
    assertNothingLost()
  })

  it('has a pod killed and a pod evicted', async () => {
    const [killed = '', evicted = ''] = await listReady('a')
    await harbour.admin.ask('DELETE', `${podPath(killed)}?gracePeriodSeconds=0`)
    await untilReady('a', 2)
    const [next = ''] = (await listReady('a')).filter(name => name !== evicted)
    assert.notEqual(next, killed)
    await harbour.admin.ask('POST', `${podPath(evicted)}/eviction`, {
      body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: evicted, namespace: harbour.namespace } },
    })
    await sleep(1000)
    await untilReady('a', 2)
    assertNothingLost()
  })

  it('has its gateways replaced', async () => {
    const annotations = { 'example.com/restarted': 'now' }
    await patch('linear-gateway', { spec: { template: { metadata: { annotations } } } })
    await untilRolledOut('linear-gateway')
    assertNothingLost()
  })

  it('is without control for a minute, in which a pod goes', async () => {
    await patch('linear-control', { spec: { replicas: 0 } })
    await sleep(5000)
    const pods = await harbour.admin.ask(
      'GET',
      `/api/v1/namespaces/${harbour.namespace}/pods?labelSelector=regatta.dev/variant%3Da`,
    )
    const [pod] = isObject(pods) && Array.isArray(pods['items']) ? pods['items'] : []
    await harbour.admin.ask('DELETE', podPath(String(pod?.metadata?.name)))
    await sleep(55_000)
    await patch('linear-control', { spec: { replicas: 1 } })
    await untilRolledOut('linear-control')
    await untilReady('a', 2)
    assertNothingLost()
  })

  it(`has answered ${WANTED} requests or more, and lost none`, async () => {
    const { answered, failed, failures } = await load.stop(WANTED)
    console.log(`answered ${answered}, failed ${failed}`)
    assert.deepEqual(failures, [])
    assert.ok(answered >= WANTED, `${answered} were answered`)
  })

  const listOwn = (): readonly string[] => {
    const kinds = 'deploy,svc,hpa,pdb,cm,secret,lease,netpol,sa,role,rolebinding,pvc'
    const args = ['get', kinds, '--selector', 'app.kubernetes.io/managed-by=regatta', '--output', 'name']
    const { stdout, stderr } = spawnSync('kubectl', ['--namespace', harbour.namespace, ...args], { encoding: 'utf8' })
    assert.equal(stderr, '')
    return stdout.split('\n').filter(Boolean)
  }

  it('tells its story by its labels', () => {
    const found = listOwn()
    for (const name of ['gateway', 'control', 'a-1', 'b-2'])
      assert.ok(found.includes(`deployment.apps/linear-${name}`), `${name} is not among ${found.join(', ')}`)
    for (const name of ['service/linear-gateway', 'poddisruptionbudget.policy/linear-a-1'])
      assert.ok(found.includes(name), `${name} is not among ${found.join(', ')}`)
  })

  it('takes all of itself away when it is deleted, and nothing else', async () => {
    await harbour.regatta(['delete', '--yes'])
    const rights = listOwn().filter(name => !/-deployer$/.test(name))
    assert.deepEqual(rights, [])
    assert.ok(await readConfigMap('bystander'))
  })
})
