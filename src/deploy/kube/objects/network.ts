import { toApiVersion } from '../kinds.ts'
import { type Part, toLabels, toSelector } from '../labels.ts'
import type { KubeObject } from '../object.ts'
import { type KubeSettings, toNames } from '../settings.ts'
import { PORTS } from './pod.ts'

/**
 * Who reaches whom, where the cluster's network enforces it: everybody the gateway, and only the gateway the model
 * servers and control, which have no other guard than this and the token. Probes and port-forwards come from the node.
 */
export function toNetworkObjects({ project, namespace }: KubeSettings): readonly KubeObject[] {
  const { name } = project
  const names = toNames(name)
  const from = (part: Part): object => ({ podSelector: { matchLabels: toSelector(name, part) } })
  const fromGateway = [from('gateway')]
  // Control asks servers how they are, and those that wait lead to the one that leads.
  const fromBoth = [...fromGateway, from('control')]
  const isMany = project.targets.kubernetes.control.replicas > 1
  const make = (metadataName: string, part: Part, ports: readonly number[], from?: readonly object[]): KubeObject => ({
    apiVersion: toApiVersion('NetworkPolicy'),
    kind: 'NetworkPolicy',
    metadata: { name: metadataName, namespace, labels: toLabels(name, part) },
    spec: {
      podSelector: { matchLabels: toSelector(name, part) },
      policyTypes: ['Ingress'],
      ingress: [{ ...(from !== undefined && { from }), ports: ports.map(port => ({ port, protocol: 'TCP' })) }],
    },
  })
  return [
    make(`${name}-server`, 'server', [PORTS.http, PORTS.grpc], fromBoth),
    make(names.gateway, 'gateway', [PORTS.http, PORTS.grpc]),
    make(names.control, 'control', [PORTS.control], isMany ? fromBoth : fromGateway),
  ]
}
