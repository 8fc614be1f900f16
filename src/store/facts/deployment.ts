import type { Digest, VariantName } from '../../core/brands.ts'

/** A variant as it is registered when it is deployed. */
export interface NewVariant {
  readonly name: VariantName
  readonly version: number
  readonly digest: Digest
  readonly at: number
  /** The id that it had in a database that was lost; another variant's is not taken. @default a new one */
  readonly id?: number
}

/** The same with the id that routes and records name it by. */
export interface StoredVariant extends NewVariant {
  readonly id: number
}

/** A time in which the routes stay the same. */
export interface StoredEpoch {
  /** `Routes.epoch`. */
  readonly epoch: number
  readonly startedAt: number
  /** Weights by variant id; a shadow has 0. */
  readonly weights: Readonly<Record<number, number>>
}

/** Why the deployment changed. */
export interface ChangeCause {
  readonly kind: 'deploy' | 'promote' | 'rollback' | 'step' | 'withdraw' | 'delete' | 'restore'
  /** Who asked for it, as they call themselves; `control` where it was nobody. */
  readonly by: string
  /** In the words of who asked; empty where none were given. */
  readonly reason: string
}

/** A variant in the routes. */
export interface ChangedVariant {
  readonly name: string
  readonly version: number
  readonly digest: string
  readonly role: 'champion' | 'standby' | 'shadow' | 'split'
  /** Share of the requests, 0–1. */
  readonly weight: number
}

/** A change of the deployment, and what was in the routes from then on. */
export interface DeploymentChange extends ChangeCause {
  readonly epoch: number
  readonly at: number
  readonly variants: readonly ChangedVariant[]
}
