import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CONTROL_NODE_FLAGS } from '../../../core/control-memory.ts'
import { isObject } from '../../../core/json.ts'
import { toPath } from '../kinds.ts'
import { at, type KubeObject, listAt, numberAt, textAt, toObjectName } from '../object.ts'
import { toYaml } from '../render.ts'
import { findObject } from '../testing/objects.ts'
import { ROUTES, toSettings, VARIANT } from '../testing/settings.ts'
import { toAllObjects, toBaseObjects, toTokenSecret } from './base.ts'

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

  it('leads every Service, budget and Deployment to pods of its own', () => {
    const labelsOf = (path: readonly string[]) =>
      objects.flatMap(object => {
        const labels = at(object, ...path)
        return isObject(labels) ? [[toObjectName(object), labels] as const] : []
      })
    const pods = labelsOf(['spec', 'template', 'metadata', 'labels'])
    const selectors = [...labelsOf(['spec', 'selector', 'matchLabels']), ...labelsOf(['spec', 'selector'])].filter(
      ([, labels]) => !Object.hasOwn(labels, 'matchLabels'),
    )
    const found = selectors.map(([name, labels]) => {
      const led = pods.filter(([, own]) => Object.entries(labels).every(([key, value]) => own[key] === value))
      return [name.replace(/^\w+\//, ''), led.map(([pod]) => pod)]
    })
    assert.deepEqual(
      found,
      selectors.map(([name]) => {
        const own = name.replace(/^\w+\//, '')
        return [own, [`Deployment/${own}`]]
      }),
    )
    assert.equal(selectors.length, 8)
  })

  it('lets no pod go before another is ready, nor before all have heard that it goes', () => {
    for (const name of ['gateway', 'b-7']) {
      const spec = at(findObject(objects, `Deployment/forecast-${name}`), 'spec')
      assert.deepEqual(at(spec, 'strategy', 'rollingUpdate'), { maxSurge: 1, maxUnavailable: 0 })
      const pod = at(spec, 'template', 'spec')
      const leaveSeconds = numberAt(pod, 'containers', 0, 'lifecycle', 'preStop', 'sleep', 'seconds')
      assert.ok(leaveSeconds > 0 && numberAt(pod, 'terminationGracePeriodSeconds') > leaveSeconds)
      assert.equal(at(findObject(objects, `PodDisruptionBudget/forecast-${name}`), 'spec', 'maxUnavailable'), 1)
    }
  })

  it('never runs two controls on one file, and keeps the end of the log of what fails', () => {
    assert.deepEqual(at(findObject(objects, 'Deployment/forecast-control'), 'spec', 'strategy'), { type: 'Recreate' })
    for (const spec of listPodSpecs(objects))
      assert.equal(textAt(spec, 'containers', 0, 'terminationMessagePolicy'), 'FallbackToLogsOnError')
  })

  it('tells the gateway where replicas and the record of the routes are without control', () => {
    const spec = at(findObject(objects, 'Deployment/forecast-gateway'), 'spec', 'template', 'spec')
    const args = at(spec, 'containers', 0, 'args')
    assert.ok(Array.isArray(args))
    const argumentOf = (flag: string): string => String(args[args.indexOf(flag) + 1])
    const host = argumentOf('--replica-host').replace('{variant}', VARIANT.name).replace('{id}', String(VARIANT.id))
    assert.ok(findObject(objects, `Service/${host}`))
    const mount = listAt(spec, 'containers', 0, 'volumeMounts').find(({ name }) => name === 'routes')
    assert.equal(argumentOf('--routes-file'), `${mount?.['mountPath']}/routes.json`)
    const volume = listAt(spec, 'volumes').find(({ name }) => name === 'routes')
    const record = findObject(objects, `ConfigMap/${textAt(volume, 'configMap', 'name')}`)
    assert.deepEqual(JSON.parse(textAt(record, 'data', 'routes.json') ?? ''), ROUTES)
    // Whoever applies it from a repository shall not write over what control wrote.
    assert.equal(textAt(record, 'metadata', 'annotations', 'kustomize.toolkit.fluxcd.io/ssa'), 'IfNotPresent')
  })

  it('gives clients the ports of TensorFlow Serving', () => {
    const service = findObject(objects, 'Service/forecast-gateway')
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
        findObject(toBaseObjects(settings), 'Deployment/forecast-control'),
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
        findObject(toBaseObjects(toSettings()), `Deployment/forecast-${part}`),
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

  it('exposes the gateway and claims a volume as the project says', () => {
    const objects = toBaseObjects(toSettings('expose: NodePort\n    storage: { size: 3Gi, class: fast }'))
    assert.equal(textAt(findObject(objects, 'Service/forecast-gateway'), 'spec', 'type'), 'NodePort')
    const claim = findObject(objects, 'PersistentVolumeClaim/forecast-data')
    assert.equal(textAt(claim, 'spec', 'storageClassName'), 'fast')
    assert.equal(textAt(claim, 'spec', 'resources', 'requests', 'storage'), '3Gi')
    assert.ok(
      !(
        'storageClassName' in
        Object(at(findObject(toBaseObjects(toSettings()), 'PersistentVolumeClaim/forecast-data'), 'spec'))
      ),
    )
  })

  it('needs no volume where the storage is ephemeral', () => {
    const objects = toBaseObjects(toSettings('storage: { ephemeral: true }'))
    assert.ok(!objects.some(({ kind }) => kind === 'PersistentVolumeClaim'))
    const volumes = listAt(findObject(objects, 'Deployment/forecast-control'), 'spec', 'template', 'spec', 'volumes')
    assert.deepEqual(at(volumes.at(-1), 'emptyDir'), {})
  })

  it('gives control a PostgreSQL and no volume where the project names its Secret', () => {
    const objects = toBaseObjects(toSettings('database: { secret: events }'))
    assert.ok(!objects.some(({ kind }) => kind === 'PersistentVolumeClaim'))
    const spec = at(findObject(objects, 'Deployment/forecast-control'), 'spec')
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
    assert.equal(at(findObject(objects, 'PodDisruptionBudget/forecast-control'), 'spec', 'maxUnavailable'), 1)
    const rules = listAt(findObject(objects, 'Role/forecast-control'), 'rules')
    assert.ok(rules.some(rule => at(rule, 'resources', 0) === 'leases'))
    // The ones that wait lead to the one that leads.
    const from = listAt(findObject(objects, 'NetworkPolicy/forecast-control'), 'spec', 'ingress', 0, 'from')
    assert.equal(from.length, 2)
  })

  it('has the gateway ask for a token, answer pages and be as many as the project says', () => {
    const lines = "serve: { access: token, cors: ['https://app.example'] }"
    const gateway = findObject(
      toBaseObjects(toSettings('gateway: { replicas: 5 }', lines)),
      'Deployment/forecast-gateway',
    )
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

describe('toTokenSecret()', () => {
  it('holds the tokens in base64', () => {
    const secret = toTokenSecret(toSettings(), { admin: 'a', gateway: 'g', predict: 'p' })
    assert.deepEqual(secret['data'], { admin: 'YQ==', gateway: 'Zw==', predict: 'cA==' })
  })
})
