import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseVariantName } from '../../../core/brands.ts'
import { at, listAt, textAt } from '../object.ts'
import { findObject } from '../testing/objects.ts'
import { toSettings, VARIANT } from '../testing/settings.ts'
import { toServerObjects } from './server.ts'

describe('toServerObjects()', () => {
  it('takes resources, placement and environment from the project', () => {
    const kubernetes = `
    priorityClass: high
    nodeSelector: { disk: ssd }
    tolerations: [{ key: gpu, operator: Exists }]
    topologySpread: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule }]
    imagePullSecrets: [pull]
    env: { TZ: UTC }`
    const lines = 'serve: { resources: { requests: { cpu: 1 }, limits: { memory: 1Gi, cpu: 2 } } }'
    const deployment = findObject(toServerObjects(toSettings(kubernetes, lines), VARIANT), 'Deployment/forecast-b-7')
    const spec = at(deployment, 'spec', 'template', 'spec')
    assert.equal(textAt(spec, 'priorityClassName'), 'high')
    assert.deepEqual(at(spec, 'nodeSelector'), { disk: 'ssd' })
    assert.deepEqual(at(spec, 'tolerations'), [{ key: 'gpu', operator: 'Exists' }])
    assert.deepEqual(at(spec, 'imagePullSecrets'), [{ name: 'pull' }])
    const [spread] = listAt(spec, 'topologySpreadConstraints')
    assert.equal(spread?.['topologyKey'], 'zone')
    assert.deepEqual(at(spread, 'labelSelector', 'matchLabels'), at(deployment, 'spec', 'selector', 'matchLabels'))
    const container = at(spec, 'containers', 0)
    assert.deepEqual(at(container, 'env'), [{ name: 'TZ', value: 'UTC' }])
    assert.deepEqual(at(container, 'resources'), {
      requests: { cpu: '1', memory: '256Mi' },
      limits: { memory: '1Gi', cpu: '2' },
    })
    assert.equal(textAt(container, 'image'), `registry.example.com/team/forecast@${VARIANT.digest}`)
  })

  const scaled: [name: string, running: number | undefined, replicas: number][] = [
    ['begins with the fewest', undefined, 3],
    ['leaves what the autoscaler chose', 6, 6],
    ['keeps within new bounds', 20, 9],
  ]
  for (const [name, running, replicas] of scaled) {
    it(`${name} where replicas are scaled by their load`, () => {
      const settings = toSettings('', 'serve: { autoscale: { min: 3, max: 9 } }')
      const objects = toServerObjects(settings, VARIANT, running)
      assert.equal(at(findObject(objects, 'Deployment/forecast-b-7'), 'spec', 'replicas'), replicas)
      const scaler = findObject(objects, 'HorizontalPodAutoscaler/forecast-b-7')
      assert.equal(at(scaler, 'spec', 'metrics', 0, 'resource', 'target', 'averageUtilization'), 70)
      assert.deepEqual([at(scaler, 'spec', 'minReplicas'), at(scaler, 'spec', 'maxReplicas')], [3, 9])
      const scaled = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'forecast-b-7' }
      assert.deepEqual(at(scaler, 'spec', 'scaleTargetRef'), scaled)
    })
  }

  it('refuses a variant whose name makes one that is too long', () => {
    const long = { ...VARIANT, name: parseVariantName('v'.repeat(40)) }
    assert.throws(() => toServerObjects(toSettings('', '', 'n'.repeat(30)), long), {
      code: 'KUBE_NAME',
      message: /found 73.*variant "v+"/,
    })
  })

  it('refuses to guess where images are pulled from', () => {
    const { project, ...rest } = toSettings()
    const settings = { ...rest, project: { ...project, image: { ...project.image, repository: undefined } } }
    assert.throws(() => toServerObjects(settings, VARIANT), { code: 'KUBE_REPOSITORY' })
  })
})
