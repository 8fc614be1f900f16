import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { toPath } from './kinds.ts'
import { toLabels } from './labels.ts'
import { at, type KubeObject } from './object.ts'
import { openKubeTarget } from './target.node.ts'
import { TestCluster } from './testing/cluster.ts'
import { ROUTES, toSettings, VARIANT } from './testing/settings.ts'

const { signal } = new AbortController()
const PLAN = { deployment: 'forecast', variants: [VARIANT] }

/** An object of a variant. */
function toOwn(kind: 'Deployment' | 'HorizontalPodAutoscaler', id: number, rest: object = {}) {
  const name = `forecast-b-${id}`
  const labels = { ...toLabels('forecast', 'server'), 'regatta.dev/variant-id': String(id) }
  const object: KubeObject = { apiVersion: 'v1', kind, metadata: { name, labels }, ...rest }
  return { path: toPath(kind, 'team', name), object }
}

async function open(cluster: TestCluster, lines = '') {
  const { project } = toSettings('', lines)
  return await openKubeTarget({ project, kube: cluster.kube, clock: () => 0, onEvent: () => {} })
}

const SCALED = 'serve: { autoscale: { min: 3, max: 9 } }'

describe('openKubeTarget()', () => {
  it('makes the objects of each variant, and takes away those of others', async () => {
    const cluster = new TestCluster([toOwn('Deployment', 6)])
    await using target = await open(cluster)
    await target.apply(PLAN, signal)
    assert.deepEqual(cluster.paths, [
      'deployments/forecast-b-7',
      'poddisruptionbudgets/forecast-b-7',
      'services/forecast-b-7',
    ])
  })

  it('leaves the number of replicas to an autoscaler while there is one', async () => {
    const cluster = new TestCluster([
      toOwn('Deployment', 7, { spec: { replicas: 6 } }),
      toOwn('HorizontalPodAutoscaler', 7),
    ])
    {
      await using target = await open(cluster, SCALED)
      await target.apply(PLAN, signal)
      assert.equal(at(cluster.read('deployments/forecast-b-7'), 'spec', 'replicas'), 6)
      assert.ok(cluster.read('horizontalpodautoscalers/forecast-b-7'))
    }
    await using target = await open(cluster)
    await target.apply(PLAN, signal)
    assert.equal(at(cluster.read('deployments/forecast-b-7'), 'spec', 'replicas'), VARIANT.replicas)
    assert.equal(cluster.read('horizontalpodautoscalers/forecast-b-7'), undefined)
  })

  it('remembers the routes until it is deleted, and takes all variants with it', async () => {
    const cluster = new TestCluster()
    await using target = await open(cluster)
    await target.apply(PLAN, signal)
    await target.writeRoutes(ROUTES)
    assert.deepEqual(await target.readRoutes(), ROUTES)
    await target.delete(signal)
    assert.equal(await target.readRoutes(), undefined)
    assert.deepEqual(cluster.paths, [])
  })

  it('says of routes that it cannot read where they are', async () => {
    const metadata = { name: 'forecast-routes', labels: toLabels('forecast', 'control') }
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'routes.json': '{}' } }
    await using target = await open(new TestCluster([{ path: toPath('ConfigMap', 'team', 'forecast-routes'), object }]))
    await assert.rejects(target.readRoutes(), { code: 'ROUTES_RECORD', message: /ConfigMap forecast-routes/ })
  })

  it('tells whoever observes it of pods that come', async () => {
    const cluster = new TestCluster()
    await using target = await open(cluster)
    const seen: string[] = []
    target.observe(({ replicas }) => void seen.push(...replicas.map(({ name }) => name)))
    const labels = { ...toLabels('forecast', 'server'), 'regatta.dev/variant-id': '7' }
    cluster.put(toPath('Pod', 'team', 'p'), { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', labels } })
    for (let looks = 0; seen.length === 0 && looks < 1000; looks += 1) await sleep(10)
    assert.equal(seen[0], 'p')
    assert.equal(target.state().replicas[0]?.variant, 7)
  })

  it('writes what happens to the events of the namespace', async () => {
    const cluster = new TestCluster()
    await using target = await open(cluster)
    target.tell?.({ reason: 'Verdict', text: 'b is better', isWarning: false })
    await sleep(0)
    const [asked] = cluster.asked.filter(({ method }) => method === 'POST')
    assert.equal(asked?.path, '/api/v1/namespaces/team/events')
    assert.deepEqual([at(asked.body, 'reason'), at(asked.body, 'message')], ['Verdict', 'b is better'])
  })

  it('has no log of a pod that is not there', async () => {
    await using target = await open(new TestCluster())
    assert.throws(() => target.readLog('nobody', { lines: 1, follow: false }, signal), { code: 'LOG_NONE' })
  })

  it('does not open where its account may not look', async () => {
    const cluster = new TestCluster()
    cluster.refuse = ({ path }) => (path.endsWith('/events') ? { status: 403, body: { message: 'events' } } : undefined)
    await assert.rejects(open(cluster), { code: 'KUBE_FORBIDDEN' })
  })
})
