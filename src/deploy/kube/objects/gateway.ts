import { toApiVersion } from '../kinds.ts'
import { toLabels } from '../labels.ts'
import type { KubeObject } from '../object.ts'
import { type BaseSettings, toNames, toRuntimeImage } from '../settings.ts'
import { LEAVE_SECONDS, PORTS, toPartSelector, toPodSpec, toProbe, toScraped } from './pod.ts'

const ROUTES_FOLDER = '/etc/regatta/routes'
const SPOOL_FOLDER = '/var/lib/regatta'

/** The gateway: its Deployment, the Service that clients use, and the budget of evictions. */
export function toGatewayObjects(settings: BaseSettings): readonly KubeObject[] {
  const { project, namespace, version } = settings
  const names = toNames(project.name)
  const selector = toPartSelector(settings, 'gateway')
  const labels = { ...toLabels(project.name, 'gateway'), 'app.kubernetes.io/version': version }
  const metadata = { name: names.gateway, namespace, labels }
  return [
    {
      apiVersion: toApiVersion('Service'),
      kind: 'Service',
      metadata,
      spec: {
        type: project.targets.kubernetes.expose,
        selector,
        ports: [
          { name: 'grpc', port: PORTS.grpc, targetPort: 'grpc' },
          { name: 'http', port: PORTS.http, targetPort: 'http' },
        ],
      },
    },
    {
      apiVersion: toApiVersion('Deployment'),
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: project.targets.kubernetes.gateway.replicas,
        revisionHistoryLimit: 2,
        selector: { matchLabels: selector },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        template: {
          metadata: { labels, annotations: toScraped(PORTS.http) },
          spec: toGatewayPod(settings, selector),
        },
      },
    },
    {
      apiVersion: toApiVersion('PodDisruptionBudget'),
      kind: 'PodDisruptionBudget',
      metadata,
      spec: { maxUnavailable: 1, selector: { matchLabels: selector } },
    },
  ]
}

function toGatewayPod(settings: BaseSettings, selector: Readonly<Record<string, string>>) {
  const { project } = settings
  const names = toNames(project.name)
  return toPodSpec(settings, {
    part: 'gateway',
    selector,
    graceSeconds: LEAVE_SECONDS + 15,
    container: {
      name: 'gateway',
      image: toRuntimeImage(settings),
      args: [
        '/opt/regatta/gateway.js',
        ...['--host', '0.0.0.0', '--http-port', String(PORTS.http), '--grpc-port', String(PORTS.grpc)],
        ...['--control-url', `http://${names.control}:${PORTS.control}`],
        ...['--routes-file', `${ROUTES_FOLDER}/routes.json`, '--spool', `${SPOOL_FOLDER}/spool.ndjson`],
        ...['--replica-host', `${project.name}-{variant}-{id}`, '--leave-ms', '2000'],
        ...project.serve.cors.flatMap(origin => ['--cors-origin', origin]),
      ],
      env: [
        { name: 'REGATTA_TOKEN', valueFrom: { secretKeyRef: { name: names.token, key: 'gateway' } } },
        ...(project.serve.access === 'token'
          ? [{ name: 'REGATTA_PREDICT_TOKENS', valueFrom: { secretKeyRef: { name: names.token, key: 'predict' } } }]
          : []),
        { name: 'NODE_ENV', value: 'production' },
      ],
      ports: [
        { name: 'http', containerPort: PORTS.http },
        { name: 'grpc', containerPort: PORTS.grpc },
      ],
      resources: { requests: { cpu: '200m', memory: '128Mi' }, limits: { memory: '512Mi' } },
      startupProbe: toProbe('/livez', 'http', 1, 60),
      readinessProbe: toProbe('/readyz', 'http', 2, 2),
      livenessProbe: toProbe('/livez', 'http', 10, 3),
      lifecycle: { preStop: { sleep: { seconds: LEAVE_SECONDS } } },
      volumeMounts: [
        { name: 'routes', mountPath: ROUTES_FOLDER, readOnly: true },
        { name: 'spool', mountPath: SPOOL_FOLDER },
      ],
    },
    volumes: [
      { name: 'routes', configMap: { name: names.routes, optional: true } },
      { name: 'spool', emptyDir: { sizeLimit: '256Mi' } },
    ],
  })
}
