import { CONTROL_NODE_FLAGS } from '../../../core/control-memory.ts'
import type { JsonObject } from '../../../core/json.ts'
import { toApiVersion } from '../kinds.ts'
import { toLabels } from '../labels.ts'
import type { KubeObject } from '../object.ts'
import { type BaseSettings, toNames, toRuntimeImage } from '../settings.ts'
import { PORTS, toPartSelector, toPodSpec, toProbe } from './pod.ts'

const PROJECT_FOLDER = '/etc/regatta/project'
const STATE_FOLDER = '/var/lib/regatta'

/** Control: its Deployment, its Service, what it reads of the project, and its volume or its budget of evictions. */
export function toControlObjects(settings: BaseSettings, projectDigest: string): readonly KubeObject[] {
  const { project, namespace, projectText, version } = settings
  const { control, database, storage } = project.targets.kubernetes
  const names = toNames(project.name)
  const selector = toPartSelector(settings, 'control')
  const labels = { ...toLabels(project.name, 'control'), 'app.kubernetes.io/version': version }
  const metadata = { name: names.control, namespace, labels }
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, name: names.project },
      data: { 'regatta.yaml': projectText },
    },
    ...(storage.ephemeral || database !== undefined
      ? []
      : [
          {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: { ...metadata, name: names.data },
            spec: {
              accessModes: ['ReadWriteOnce'],
              ...(storage.class !== undefined && { storageClassName: storage.class }),
              resources: { requests: { storage: storage.size } },
            },
          },
        ]),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: {
        type: 'ClusterIP',
        selector,
        ports: [{ name: 'control', port: PORTS.control, targetPort: 'control' }],
      },
    },
    {
      apiVersion: toApiVersion('Deployment'),
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: control.replicas,
        revisionHistoryLimit: 2,
        selector: { matchLabels: selector },
        strategy: database === undefined ? ONE_WRITER : SIDE_BY_SIDE,
        template: {
          metadata: { labels, annotations: { 'regatta.dev/project': projectDigest } },
          spec: toControlPod(settings, selector),
        },
      },
    },
    ...(control.replicas === 1
      ? []
      : [
          {
            apiVersion: toApiVersion('PodDisruptionBudget'),
            kind: 'PodDisruptionBudget',
            metadata,
            spec: { maxUnavailable: 1, selector: { matchLabels: selector } },
          },
        ]),
  ]
}

/** Two writers of one database file would harm it. */
const ONE_WRITER = { type: 'Recreate' }
const SIDE_BY_SIDE = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }

/** One of several leads, and the others lead to it; each says who and where it is. */
const HOLDER_ARGS = ['--holder', '$(POD_NAME)', '--address', '$(POD_IP)']

function toDatabaseEnv({ secret, key }: { readonly secret: string; readonly key: string }): readonly JsonObject[] {
  return [
    { name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: secret, key } } },
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
  ]
}

function toControlPod(settings: BaseSettings, selector: Readonly<Record<string, string>>) {
  const { project, namespace, variables } = settings
  const { database, storage } = project.targets.kubernetes
  const names = toNames(project.name)
  const isFile = database === undefined && !storage.ephemeral
  const data = !isFile ? { emptyDir: {} } : { persistentVolumeClaim: { claimName: names.data } }
  return toPodSpec(settings, {
    part: 'control',
    selector,
    serviceAccount: names.control,
    graceSeconds: 15,
    container: {
      name: 'control',
      image: toRuntimeImage(settings),
      args: [
        ...CONTROL_NODE_FLAGS,
        '/opt/regatta/control.js',
        ...['--target', 'kubernetes', '--namespace', namespace],
        ...['--project', PROJECT_FOLDER, '--state', STATE_FOLDER, '--port', String(PORTS.control)],
        ...(database === undefined ? [] : HOLDER_ARGS),
      ],
      env: [
        { name: 'REGATTA_TOKEN', valueFrom: { secretKeyRef: { name: names.token, key: 'admin' } } },
        { name: 'NODE_ENV', value: 'production' },
        ...(database === undefined ? [] : toDatabaseEnv(database)),
        ...Object.entries(variables).map(([name, value]) => ({ name, value })),
      ],
      ports: [{ name: 'control', containerPort: PORTS.control }],
      resources: { requests: { cpu: '100m', memory: '192Mi' }, limits: { memory: '768Mi' } },
      startupProbe: toProbe('/livez', 'control', 1, 120),
      readinessProbe: toProbe('/readyz', 'control', 2, 2),
      livenessProbe: toProbe('/livez', 'control', 10, 3),
      volumeMounts: [
        { name: 'project', mountPath: PROJECT_FOLDER, readOnly: true },
        { name: 'data', mountPath: STATE_FOLDER },
      ],
    },
    volumes: [
      { name: 'project', configMap: { name: names.project } },
      { name: 'data', ...data },
    ],
  })
}
