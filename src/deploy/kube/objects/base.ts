import { createHash } from 'node:crypto'
import { toCanonicalJson } from '../../../core/json.ts'
import type { Routes } from '../../../core/wire/routes.ts'
import type { VariantPlan } from '../../target.ts'
import { toLabels } from '../labels.ts'
import type { KubeObject } from '../object.ts'
import { type BaseSettings, type KubeSettings, toNames } from '../settings.ts'
import { toControlAccess } from './access.ts'
import { toControlObjects } from './control.ts'
import { toGatewayObjects } from './gateway.ts'
import { toNetworkObjects } from './network.ts'
import { checkOverlays, overlay } from './overlay.ts'
import { toRoutesObject } from './routes.ts'
import { toServerObjects } from './server.ts'

/**
 * Every object of a deployment but the token's Secret and those of its variants, in the order in which they are
 * applied. @throws KUBE_NAME, KUBE_OVERLAY
 */
export function toBaseObjects(settings: BaseSettings): readonly KubeObject[] {
  const patches = settings.project.targets.kubernetes.overlay
  const { projectText, variables } = settings
  const digest = createHash('sha256')
    .update(toCanonicalJson([projectText, variables]))
    .digest('hex')
    .slice(0, 16)
  const control = [...toControlAccess(settings), ...toControlObjects(settings, digest)]
  const gateway = toGatewayObjects(settings)
  checkOverlays(patches, {
    control: new Set(control.map(({ kind }) => kind)),
    gateway: new Set(gateway.map(({ kind }) => kind)),
    server: new Set(['Service', 'Deployment', 'PodDisruptionBudget', 'HorizontalPodAutoscaler']),
  })
  return [
    ...overlay(control, 'control', patches),
    ...toNetworkObjects(settings),
    ...overlay(gateway, 'gateway', patches),
  ]
}

/** The tokens of a deployment. */
export interface Tokens {
  readonly admin: string
  /** Gateways hand records in with it. */
  readonly gateway: string
  /** Clients bring it, where `serve.access` asks for one. */
  readonly predict: string
}

/** The Secret of the tokens. */
export function toTokenSecret({ project, namespace }: KubeSettings, tokens: Tokens): KubeObject {
  const metadata = { name: toNames(project.name).token, namespace, labels: toLabels(project.name, 'control') }
  const encode = (text: string): string => Buffer.from(text).toString('base64')
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    type: 'Opaque',
    data: { admin: encode(tokens.admin), gateway: encode(tokens.gateway), predict: encode(tokens.predict) },
  }
}

/** Everything that a first deployment of a version makes, without the Secret. */
export function toAllObjects(settings: BaseSettings, champion: VariantPlan, routes: Routes): readonly KubeObject[] {
  return [...toBaseObjects(settings), toRoutesObject(settings, routes), ...toServerObjects(settings, champion)]
}
