import type { Routes } from '../../../core/wire/routes.ts'
import { toLabels } from '../labels.ts'
import type { KubeObject } from '../object.ts'
import { type KubeSettings, toNames } from '../settings.ts'

/** The record of the routes. What applies it from a file shall only make it: control writes it from then on. */
export function toRoutesObject({ project, namespace }: KubeSettings, routes: Routes): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: toNames(project.name).routes,
      namespace,
      labels: toLabels(project.name, 'control'),
      // Flux's word for that. Source: fluxcd.io, "Kustomization", section "Controlling the apply behavior of resources".
      annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent' },
    },
    data: { 'routes.json': JSON.stringify(routes) },
  }
}
