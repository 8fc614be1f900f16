import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CONTROL_NODE_FLAGS } from '../../../core/control-memory.ts'
import { isObject } from '../../../core/json.ts'
import { KINDS, toPath } from '../kinds.ts'
import { at, type KubeObject, listAt, textAt, toObjectName } from '../object.ts'
import { toYaml } from '../render.ts'
import { ROUTES, toSettings, VARIANT } from '../testing/settings.ts'
import { toDeployerAccess } from './access.ts'
import { toAllObjects, toBaseObjects, toTokenSecret } from './base.ts'
import { toServerObjects } from './server.ts'

function find(objects: readonly KubeObject[], name: string): KubeObject {
  const found = objects.find(object => toObjectName(object) === name)
  return found ?? assert.fail(`no ${name} among ${objects.map(toObjectName).join(', ')}`)
}

/** Every pod's description among objects. */
function listPodSpecs(objects: readonly KubeObject[]): readonly unknown[] {
  return objects.filter(({ kind }) => kind === 'Deployment').map(object => at(object, 'spec', 'template', 'spec'))
}

describe('toAllObjects()', () => {
  const objects = toAllObjects(toSettings(), VARIANT, ROUTES)

  it('makes what a deployment needs and nothing outside its namespace', () => {
    assert.deepEqual(objects.map(toObjectName), [
      'ServiceAccount/forecast-control',
      'Role/forecast-control',
      'RoleBinding/forecast-control',
      'ConfigMap/forecast-project',
      'PersistentVolumeClaim/forecast-data',
      'Service/forecast-control',
      'Deployment/forecast-control',
      'NetworkPolicy/forecast-server',
      'NetworkPolicy/forecast-gateway',
      'NetworkPolicy/forecast-control',
      'Service/forecast-gateway',
      'Deployment/forecast-gateway',
      'PodDisruptionBudget/forecast-gateway',
      'ConfigMap/forecast-routes',
      'Service/forecast-b-7',
      'Deployment/forecast-b-7',
      'PodDisruptionBudget/forecast-b-7',
    ])
    for (const object of objects) {
      assert.equal(object.metadata.namespace, 'team', toObjectName(object))
      assert.equal(object.metadata.labels?.['app.kubernetes.io/managed-by'], 'regatta')
      assert.match(toPath(object.kind, 'team'), /^\/apis?\/.*\/namespaces\/team\//)
    }
  })

  it('makes the same text of the same project', () => {
    assert.equal(toYaml(objects, 'c'), toYaml(toAllObjects(toSettings(), VARIANT, ROUTES), 'c'))
    assert.match(toYaml(objects, 'two\nlines'), /^# two\n# lines\n---\napiVersion: v1\nkind: ServiceAccount\n/)
  })

  it('tells a Prometheus where the metrics of gateway and servers are', () => {
    const ports = objects
      .filter(({ kind }) => kind === 'Deployment')
      .map(object => at(object, 'spec', 'template', 'metadata', 'annotations'))
      .map(annotations => [textAt(annotations, 'prometheus.io/scrape'), textAt(annotations, 'prometheus.io/port')])
    assert.deepEqual(ports, [
      // Control asks for a token.
      [undefined, undefined],
      ['true', '8501'],
      ['true', '8501'],
    ])
  })

  for (const spec of listPodSpecs(objects)) {
    it(`confines ${textAt(spec, 'containers', 0, 'name')} as Pod Security's level restricted asks`, () => {
      const [container] = listAt(spec, 'containers')
      assert.deepEqual(at(container, 'securityContext'), {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        privileged: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
      })
      assert.equal(textAt(spec, 'securityContext', 'seccompProfile', 'type'), 'RuntimeDefault')
      assert.ok(textAt(container, 'resources', 'requests', 'cpu'))
      assert.ok(textAt(container, 'resources', 'requests', 'memory'))
      const probes = ['startupProbe', 'readinessProbe', 'livenessProbe'].map(name => at(container, name))
      assert.ok(probes.every(isObject))
      assert.equal(new Set(probes.map(probe => JSON.stringify(probe))).size, 3)
      const isControl = container?.['name'] === 'control'
      assert.equal(at(spec, 'automountServiceAccountToken'), isControl)
    })
  }

  it('gives clients the ports of TensorFlow Serving', () => {
    const service = find(objects, 'Service/forecast-gateway')
    assert.equal(textAt(service, 'spec', 'type'), 'LoadBalancer')
    assert.deepEqual(
      listAt(service, 'spec', 'ports').map(({ port }) => port),
      [8500, 8501],
    )
  })
})

describe('toBaseObjects()', () => {
  it('starts control anew when what it reads has changed', () => {
    const digestOf = (settings: ReturnType<typeof toSettings>): string | undefined =>
      textAt(
        find(toBaseObjects(settings), 'Deployment/forecast-control'),
        ...['spec', 'template', 'metadata', 'annotations', 'regatta.dev/project'],
      )
    const settings = toSettings()
    assert.equal(digestOf(settings), digestOf(toSettings()))
    assert.notEqual(digestOf(settings), digestOf({ ...settings, projectText: `${settings.projectText}\n` }))
    assert.notEqual(digestOf(settings), digestOf({ ...settings, variables: {} }))
  })

  it('runs the image without a model, which starts Node with what it is given', () => {
    for (const [part, flags] of [
      ['gateway', []],
      ['control', CONTROL_NODE_FLAGS],
    ] as const) {
      const container = at(
        find(toBaseObjects(toSettings()), `Deployment/forecast-${part}`),
        ...['spec', 'template', 'spec', 'containers', 0],
      )
      assert.equal(textAt(container, 'image'), 'registry.example.com/team/forecast:regatta-0.1.0')
      assert.equal(at(container, 'command'), undefined)
      const args = [...flags, `/opt/regatta/${part}.js`]
      assert.deepEqual(
        args.map((_, index) => textAt(container, 'args', index)),
        args,
      )
    }
  })

  it('needs no volume where the storage is ephemeral', () => {
    const objects = toBaseObjects(toSettings('storage: { ephemeral: true }'))
    assert.ok(!objects.some(({ kind }) => kind === 'PersistentVolumeClaim'))
    const volumes = listAt(find(objects, 'Deployment/forecast-control'), 'spec', 'template', 'spec', 'volumes')
    assert.deepEqual(at(volumes.at(-1), 'emptyDir'), {})
  })

  it('gives control a PostgreSQL and no volume where the project names its Secret', () => {
    const objects = toBaseObjects(toSettings('database: { secret: events }'))
    assert.ok(!objects.some(({ kind }) => kind === 'PersistentVolumeClaim'))
    const spec = at(find(objects, 'Deployment/forecast-control'), 'spec')
    assert.equal(at(spec, 'replicas'), 2)
    assert.equal(textAt(spec, 'strategy', 'type'), 'RollingUpdate')
    const container = at(spec, 'template', 'spec', 'containers', 0)
    assert.deepEqual(
      at(
        listAt(container, 'env').find(({ name }) => name === 'DATABASE_URL'),
        'valueFrom',
      ),
      {
        secretKeyRef: { name: 'events', key: 'url' },
      },
    )
    const args = at(container, 'args')
    assert.ok(Array.isArray(args))
    assert.deepEqual(args.slice(-4), ['--holder', '$(POD_NAME)', '--address', '$(POD_IP)'])
    assert.equal(at(find(objects, 'PodDisruptionBudget/forecast-control'), 'spec', 'maxUnavailable'), 1)
    const rules = listAt(find(objects, 'Role/forecast-control'), 'rules')
    assert.ok(rules.some(rule => at(rule, 'resources', 0) === 'leases'))
    // The ones that wait lead to the one that leads.
    const from = listAt(find(objects, 'NetworkPolicy/forecast-control'), 'spec', 'ingress', 0, 'from')
    assert.equal(from.length, 2)
  })

  it('has the gateway ask for a token, answer pages and be as many as the project says', () => {
    const lines = "serve: { access: token, cors: ['https://app.example'] }"
    const gateway = find(toBaseObjects(toSettings('gateway: { replicas: 5 }', lines)), 'Deployment/forecast-gateway')
    assert.equal(at(gateway, 'spec', 'replicas'), 5)
    const container = at(gateway, 'spec', 'template', 'spec', 'containers', 0)
    assert.ok(listAt(container, 'env').some(({ name }) => name === 'REGATTA_PREDICT_TOKENS'))
    const args = at(container, 'args')
    assert.ok(Array.isArray(args))
    assert.deepEqual(args.slice(-2), ['--cors-origin', 'https://app.example'])
  })

  it('refuses a name that is too long for a Service, and tells by how much', () => {
    const name = 'n'.repeat(60)
    assert.throws(() => toBaseObjects(toSettings('', '', name)), {
      code: 'KUBE_NAME',
      message: /expected|at most 63 characters, found 68.*key name/,
      fix: 'Make it shorter by 5 characters',
    })
  })
})

describe('toServerObjects()', () => {
  it('takes resources, placement and environment from the project', () => {
    const kubernetes = `
    priorityClass: high
    nodeSelector: { disk: ssd }
    tolerations: [{ key: gpu, operator: Exists }]
    imagePullSecrets: [pull]
    env: { TZ: UTC }`
    const lines = 'serve: { resources: { requests: { cpu: 1 }, limits: { memory: 1Gi, cpu: 2 } } }'
    const deployment = find(toServerObjects(toSettings(kubernetes, lines), VARIANT), 'Deployment/forecast-b-7')
    const spec = at(deployment, 'spec', 'template', 'spec')
    assert.equal(textAt(spec, 'priorityClassName'), 'high')
    assert.deepEqual(at(spec, 'nodeSelector'), { disk: 'ssd' })
    assert.deepEqual(at(spec, 'tolerations'), [{ key: 'gpu', operator: 'Exists' }])
    assert.deepEqual(at(spec, 'imagePullSecrets'), [{ name: 'pull' }])
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
      assert.equal(at(find(objects, 'Deployment/forecast-b-7'), 'spec', 'replicas'), replicas)
      const scaler = find(objects, 'HorizontalPodAutoscaler/forecast-b-7')
      assert.equal(at(scaler, 'spec', 'metrics', 0, 'resource', 'target', 'averageUtilization'), 70)
    })
  }

  it('refuses to guess where images are pulled from', () => {
    const { project, ...rest } = toSettings()
    const settings = { ...rest, project: { ...project, image: { ...project.image, repository: undefined } } }
    assert.throws(() => toServerObjects(settings, VARIANT), { code: 'KUBE_REPOSITORY' })
  })
})

describe('toDeployerAccess()', () => {
  it('holds every right of control, which it gives away', () => {
    const allowed = new Set(listRights(toDeployerAccess('forecast', 'team')))
    const given = listRights(toBaseObjects(toSettings()))
    assert.ok(given.length > 20)
    assert.deepEqual(
      given.filter(right => !allowed.has(right)),
      [],
    )
  })

  it('may write every kind that is made, and is no more than a role', () => {
    const objects = toDeployerAccess('forecast', 'team')
    assert.deepEqual(
      objects.map(({ kind }) => kind),
      ['ServiceAccount', 'Role', 'RoleBinding'],
    )
    const allowed = new Set(listRights(objects))
    for (const { group, plural } of Object.values(KINDS)) assert.ok(allowed.has(`${group}/${plural} patch`), plural)
    assert.ok(![...allowed].some(right => right.includes('*')))
  })

  function listRights(objects: readonly KubeObject[]): readonly string[] {
    const rules = objects.filter(({ kind }) => kind === 'Role').flatMap(role => listAt(role, 'rules'))
    const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : [])
    return rules.flatMap(rule =>
      texts(rule['apiGroups']).flatMap(group =>
        texts(rule['resources']).flatMap(resource => texts(rule['verbs']).map(verb => `${group}/${resource} ${verb}`)),
      ),
    )
  }
})

describe('toTokenSecret()', () => {
  it('holds the tokens in base64', () => {
    const secret = toTokenSecret(toSettings(), { admin: 'a', gateway: 'g', predict: 'p' })
    assert.deepEqual(secret['data'], { admin: 'YQ==', gateway: 'Zw==', predict: 'cA==' })
  })
})
