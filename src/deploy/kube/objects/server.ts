import type { VariantPlan } from '../../target.ts'
import { toApiVersion } from '../kinds.ts'
import { toLabels, toSelector, VARIANT, VARIANT_ID } from '../labels.ts'
import type { KubeObject } from '../object.ts'
import { type KubeSettings, toImage, toVariantName } from '../settings.ts'
import { overlay } from './overlay.ts'
import { LEAVE_SECONDS, PORTS, toPodSpec, toProbe, toScraped } from './pod.ts'

/** Long enough for a large model from a slow disk, at one look a second. */
const START_LOOKS = 600

/**
 * The objects of a variant: the Deployment of its servers, the headless Service that names them, the budget of
 * evictions, and the autoscaler where one is wished. `running` is the number of replicas that an autoscaler chose.
 * @throws KUBE_NAME, KUBE_REPOSITORY, KUBE_OVERLAY
 */
export function toServerObjects(settings: KubeSettings, variant: VariantPlan, running?: number): readonly KubeObject[] {
  const { project, namespace } = settings
  const { autoscale } = project.serve
  const name = toVariantName(project.name, variant)
  const selector = toSelector(project.name, 'server', variant.id)
  const labels = { ...toLabels(project.name, 'server'), [VARIANT]: variant.name, [VARIANT_ID]: String(variant.id) }
  const metadata = { name, namespace, labels }
  const make = (kind: 'Service' | 'Deployment' | 'PodDisruptionBudget' | 'HorizontalPodAutoscaler', spec: object) => ({
    apiVersion: toApiVersion(kind),
    kind,
    metadata,
    spec,
  })
  const objects = [
    make('Service', {
      clusterIP: 'None',
      selector,
      ports: [
        { name: 'http', port: PORTS.http, targetPort: 'http' },
        { name: 'grpc', port: PORTS.grpc, targetPort: 'grpc' },
      ],
    }),
    make('Deployment', toDeploymentSpec(settings, variant, { selector, labels, running })),
    make('PodDisruptionBudget', { maxUnavailable: 1, selector: { matchLabels: selector } }),
    ...(autoscale === undefined
      ? []
      : [
          make('HorizontalPodAutoscaler', {
            scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
            minReplicas: autoscale.min,
            maxReplicas: autoscale.max,
            metrics: [
              {
                type: 'Resource',
                resource: {
                  name: 'cpu',
                  target: { type: 'Utilization', averageUtilization: Math.round(autoscale.cpu * 100) },
                },
              },
            ],
          }),
        ]),
  ]
  return overlay(objects, 'server', project.targets.kubernetes.overlay)
}

function toDeploymentSpec(
  settings: KubeSettings,
  variant: VariantPlan,
  {
    selector,
    labels,
    running,
  }: {
    readonly selector: Readonly<Record<string, string>>
    readonly labels: Readonly<Record<string, string>>
    readonly running: number | undefined
  },
) {
  const { project } = settings
  const { autoscale } = project.serve
  // An autoscaler owns the number; naming the one it chose leaves that to it.
  const replicas =
    autoscale === undefined
      ? variant.replicas
      : Math.min(Math.max(running ?? autoscale.min, autoscale.min), autoscale.max)
  return {
    replicas,
    revisionHistoryLimit: 2,
    progressDeadlineSeconds: START_LOOKS,
    selector: { matchLabels: selector },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      // Servers of others have their metrics elsewhere, or none.
      metadata: { labels, ...(project.image.server === 'onnx' && { annotations: toScraped(PORTS.http) }) },
      spec: toPodSpec(settings, {
        part: 'server',
        selector,
        graceSeconds: LEAVE_SECONDS + 25,
        container: toServerContainer(settings, variant),
      }),
    },
  }
}

function toServerContainer({ project }: KubeSettings, variant: VariantPlan) {
  const { requests, limits } = project.serve.resources
  const env = Object.entries(project.targets.kubernetes.env).map(([name, value]) => ({ name, value }))
  return {
    name: 'server',
    image: toImage(project, variant.digest),
    ...(env.length > 0 && { env }),
    ports: [
      { name: 'http', containerPort: PORTS.http },
      { name: 'grpc', containerPort: PORTS.grpc },
    ],
    resources: { requests, limits: { memory: limits.memory, ...(limits.cpu !== undefined && { cpu: limits.cpu }) } },
    startupProbe: toProbe('/readyz', 'http', 1, START_LOOKS),
    readinessProbe: toProbe('/readyz', 'http', 2, 2),
    livenessProbe: toProbe('/livez', 'http', 10, 3),
    lifecycle: { preStop: { sleep: { seconds: LEAVE_SECONDS } } },
  }
}
