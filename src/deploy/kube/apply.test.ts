import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { applyAll } from './apply.node.ts'
import { toPath } from './kinds.ts'
import { toLabels } from './labels.ts'
import type { KubeObject } from './object.ts'
import { TestCluster } from './testing/cluster.ts'

function toObject(kind: string, name = 'x', labels = toLabels('m', 'control')): KubeObject {
  return { apiVersion: 'v1', kind, metadata: { name, labels } }
}

function openCluster(...objects: readonly KubeObject[]): TestCluster {
  return new TestCluster(objects.map(object => ({ path: toPath(object.kind, 'team', object.metadata.name), object })))
}

describe('applyAll()', () => {
  it('applies on the server as regatta, strictly, and takes no field that is not given up', async () => {
    const cluster = openCluster()
    await applyAll(cluster.kube, [toObject('ConfigMap')], { deployment: 'm' })
    const [{ query, method } = assert.fail()] = cluster.asked.filter(asked => asked.method !== 'GET')
    assert.equal(method, 'PATCH')
    assert.deepEqual(Object.fromEntries(query), { fieldManager: 'regatta', fieldValidation: 'Strict', force: 'false' })
    await applyAll(cluster.kube, [toObject('ConfigMap')], { deployment: 'm', force: true })
    assert.equal(cluster.asked.at(-1)?.query.get('force'), 'true')
  })

  const others: [whose: string, labels: Record<string, string>, words: RegExp][] = [
    [
      "somebody else's",
      { 'app.kubernetes.io/managed-by': 'Helm', 'app.kubernetes.io/instance': 'm' },
      /Helm manages it/,
    ],
    ["another deployment's", toLabels('other', 'control'), /ConfigMap\/theirs/],
    ["nobody's", {}, /not of this deployment/],
  ]
  for (const [whose, labels, message] of others) {
    it(`changes nothing where one object is ${whose}`, async () => {
      const cluster = openCluster(toObject('ConfigMap', 'theirs', labels))
      const objects = [toObject('ConfigMap', 'ours'), toObject('ConfigMap', 'theirs')]
      await assert.rejects(applyAll(cluster.kube, objects, { deployment: 'm', force: true }), {
        code: 'KUBE_FOREIGN',
        message,
      })
      assert.deepEqual(cluster.writes, [])
    })
  }

  it('makes what others ask for first', async () => {
    const cluster = openCluster()
    const objects = [toObject('Deployment'), toObject('RoleBinding'), toObject('Role'), toObject('Secret')]
    await applyAll(cluster.kube, objects, { deployment: 'm' })
    const paths = cluster.writes.map(write => write.replace(/^PATCH (\w+)\/x$/, '$1'))
    assert.deepEqual(paths.slice(0, 2).toSorted(), ['roles', 'secrets'])
    assert.deepEqual(paths.slice(2).toSorted(), ['deployments', 'rolebindings'])
  })

  it('only asks in a dry run, and not for the binding of a role that is not there yet', async () => {
    const cluster = openCluster()
    const objects = [toObject('Role'), toObject('RoleBinding'), toObject('Secret')]
    const applied = await applyAll(cluster.kube, objects, { deployment: 'm', dryRun: true })
    assert.deepEqual(
      applied.map(({ before, after }) => [before, after.kind]),
      [
        [undefined, 'Role'],
        [undefined, 'RoleBinding'],
        [undefined, 'Secret'],
      ],
    )
    assert.deepEqual(cluster.paths, [])
    assert.deepEqual(cluster.writes.toSorted(), ['PATCH roles/x', 'PATCH secrets/x'])
  })

  it('fails with what one object is refused for, though others are taken', async () => {
    const cluster = openCluster()
    const causes = [{ field: '.data.a', message: 'conflict with "kubectl" using v1' }]
    cluster.refuse = ({ method, path }) =>
      method === 'PATCH' && path.endsWith('/theirs') ? { status: 409, body: { details: { causes } } } : undefined
    const objects = [toObject('ConfigMap', 'theirs'), toObject('ConfigMap', 'ours')]
    await assert.rejects(applyAll(cluster.kube, objects, { deployment: 'm' }), {
      code: 'KUBE_CONFLICT',
      message: /\.data\.a \(set by kubectl\)/,
    })
    assert.deepEqual(cluster.paths, ['configmaps/ours'])
  })
})
