import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Change } from './changes.ts'
import type { Kube } from './client.node.ts'
import {
  checkCluster,
  findNextVariantId,
  type InstallOptions,
  installBase,
  isNew,
  planInstall,
  uninstall,
} from './install.node.ts'
import { KINDS, toPath } from './kinds.ts'
import { toLabels } from './labels.ts'
import { at, type KubeObject, toObjectName } from './object.ts'
import { TestCluster } from './testing/cluster.ts'
import { ROUTES, toSettings, VARIANT } from './testing/settings.ts'

const { signal } = new AbortController()

function toOptions(kube: Kube, changes: Change[], lines = ''): InstallOptions {
  const settings = toSettings('storage: { ephemeral: true }', lines)
  const tokens = { admin: 'a', gateway: 'g', predict: 'p' }
  return { ...settings, kube, tokens, force: false, onChange: change => void changes.push(change) }
}

const toDeletions = (changes: readonly Change[]): readonly string[] =>
  changes.filter(({ change }) => change === 'delete').map(({ object }) => object)

/** An object of the deployment. */
function toOwn(kind: keyof typeof KINDS, name: string, labels: object = {}, rest: object = {}) {
  const metadata = { name, labels: { ...toLabels('forecast', 'control'), ...labels } }
  const object: KubeObject = { apiVersion: 'v1', kind, metadata, ...rest }
  return { path: toPath(kind, 'team', name), object }
}

/** What earlier deployments, and control, have left. */
const LEFT = [
  toOwn('ConfigMap', 'forecast-left'),
  toOwn('PodDisruptionBudget', 'forecast-control'),
  toOwn('ConfigMap', 'forecast-routes'),
  toOwn('Lease', 'forecast-control'),
  toOwn('PersistentVolumeClaim', 'forecast-data'),
  toOwn('ConfigMap', 'forecast-image-1', { 'regatta.dev/image': '1' }),
  toOwn('Deployment', 'forecast-b-7', { 'regatta.dev/variant-id': '7' }, { spec: { replicas: 6 } }),
  toOwn('Service', 'forecast-c-9', { 'regatta.dev/variant-id': '9' }),
  toOwn('ConfigMap', 'another', { 'app.kubernetes.io/instance': 'other' }),
]

describe('installBase()', () => {
  it('deletes what the project no longer asks for, and nothing that control writes or holds data', async () => {
    const cluster = new TestCluster(LEFT)
    const changes: Change[] = []
    await installBase(toOptions(cluster.kube, changes), undefined, signal)
    const gone = ['PodDisruptionBudget/forecast-control', 'ConfigMap/forecast-left']
    assert.deepEqual(toDeletions(changes), gone)
    const left = new Set(cluster.paths)
    for (const { path, object } of LEFT)
      assert.equal(
        [...left].some(one => path.endsWith(`/${one}`)),
        !gone.includes(toObjectName(object)),
        path,
      )
  })

  it('makes the first variant, and the routes to it, at once', async () => {
    const cluster = new TestCluster()
    const changes: Change[] = []
    await installBase(toOptions(cluster.kube, changes), { variant: VARIANT, routes: ROUTES }, signal)
    for (const path of ['configmaps/forecast-routes', 'deployments/forecast-b-7', 'deployments/forecast-control'])
      assert.ok(cluster.paths.includes(path), path)
    assert.ok(changes.every(({ change }) => change === 'create'))
    const again: Change[] = []
    await installBase(toOptions(cluster.kube, again), undefined, signal)
    assert.ok(again.every(({ change }) => change === 'keep'))
  })
})

describe('planInstall()', () => {
  const plan = { deployment: 'forecast', variants: [VARIANT] }

  it('names what will go, variants too, and changes nothing', async () => {
    const cluster = new TestCluster(LEFT)
    const { paths } = cluster
    const changes: Change[] = []
    await planInstall(toOptions(cluster.kube, changes), plan, signal)
    const gone = ['PodDisruptionBudget/forecast-control', 'ConfigMap/forecast-left', 'Service/forecast-c-9']
    assert.deepEqual(toDeletions(changes), gone)
    assert.deepEqual(cluster.paths, paths)
  })

  it('leaves the number of replicas that an autoscaler chose', async () => {
    const cluster = new TestCluster(LEFT)
    const lines = 'serve: { autoscale: { min: 3, max: 9 } }'
    await planInstall(toOptions(cluster.kube, [], lines), plan, signal)
    const asked = cluster.asked.findLast(({ path }) => path.endsWith('/deployments/forecast-b-7'))
    assert.equal(at(asked?.body, 'spec', 'replicas'), 6)
  })
})

describe('checkCluster()', () => {
  const versions: [major: string, minor: string, isTaken: boolean][] = [
    ['1', '29', false],
    ['1', '29+', false],
    ['1', '30', true],
    ['1', '31+', true],
    ['2', '0', true],
  ]
  for (const [major, minor, isTaken] of versions) {
    it(`${isTaken ? 'takes' : 'refuses'} Kubernetes ${major}.${minor}`, async () => {
      const ask: Kube['ask'] = async () => ({ major, minor })
      const check = checkCluster({ namespace: 'team', server: 'https://cluster', ask } as Kube)
      await (isTaken ? check : assert.rejects(check, { code: 'KUBE_VERSION', message: /1\.29: expected 1\.30/ }))
    })
  }
})

describe('isNew() and findNextVariantId()', () => {
  it('tell a deployment by its control, its routes and its variants', async () => {
    const none = new TestCluster([toOwn('Secret', 'forecast-token')])
    assert.equal(await isNew(none.kube, 'forecast'), true)
    assert.equal(await findNextVariantId(none.kube, 'forecast'), 1)
    const interrupted = new TestCluster([toOwn('ConfigMap', 'forecast-routes')])
    assert.equal(await isNew(interrupted.kube, 'forecast'), false)
    assert.equal(await findNextVariantId(new TestCluster(LEFT).kube, 'forecast'), 8)
  })
})

/** An API that has one object of each kind, and notes what is deleted. */
function toKube(deleted: string[]): Kube {
  const ask: Kube['ask'] = async (method, path) => {
    if (method === 'GET') return { items: [{ metadata: { name: 'one' } }] }
    deleted.push(/\/([a-z]+)\/one\?/.exec(path)?.[1] ?? path)
    return {}
  }
  return { namespace: 'team', server: 'https://cluster', ask } as Kube
}

describe('uninstall()', () => {
  it('deletes all but the volume claim, and what control writes once it may not make it again', async () => {
    const deleted: string[] = []
    const { kept } = await uninstall(toKube(deleted), 'm')
    assert.deepEqual(kept, ['one'])
    const wanted = Object.values(KINDS).map(({ plural }) => plural)
    assert.deepEqual(deleted.toSorted(), wanted.filter(plural => plural !== 'persistentvolumeclaims').toSorted())
    const left = deleted.slice(deleted.indexOf('rolebindings'))
    for (const plural of ['leases', 'configmaps', 'services']) assert.ok(left.includes(plural), plural)
    assert.ok(!left.includes('deployments'))
  })

  it('leaves alone what is not of the deployment', async () => {
    const cluster = new TestCluster(LEFT)
    await uninstall(cluster.kube, 'forecast')
    assert.deepEqual(cluster.paths, ['configmaps/another', 'persistentvolumeclaims/forecast-data'])
  })
})
