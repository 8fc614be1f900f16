import type { Digest, VariantName } from '../core/brands.ts'
import type { Routes } from '../core/wire/routes.ts'

/** Where a deployment runs. Each target keeps the record of what runs and makes it so. */
export interface Target extends AsyncDisposable {
  readonly kind: 'local' | 'kubernetes'
  /** The routes on record, or undefined where nothing is deployed. @throws ROUTES_RECORD */
  readRoutes(): Promise<Routes | undefined>
  /** Replaces the record of the routes, whole. */
  writeRoutes(routes: Routes): Promise<void>
  /**
   * Takes a plan as what shall run from now on and returns once that is begun: replicas start, restart and
   * stop in the background, and `observe` tells how it goes. Variants that the plan lacks are drained and stopped.
   * @throws TARGET_PLAN where the plan can never run here (no such image, no model in it)
   */
  apply(plan: DeploymentPlan, signal: AbortSignal): Promise<void>
  /** The state now. */
  state(): TargetState
  /** Calls the listener after each change of the state; the returned function ends that. */
  observe(listener: (state: TargetState) => void): () => void
  /** The last lines of a replica's or the gateway's log, oldest first; `follow` keeps yielding until the signal. */
  readLog(
    process: string,
    options: { readonly lines: number; readonly follow: boolean },
    signal: AbortSignal,
  ): AsyncIterable<string>
  /** Tells those who look at the target of something that happened; absent where nobody looks but by control's API. */
  tell?(notice: Notice): void
  /** Drains and stops everything, and forgets the record. */
  delete(signal: AbortSignal): Promise<void>
}

/** Something that happened. */
export interface Notice {
  /** One word, in the form of Kubernetes' reasons. */
  readonly reason: string
  /** One sentence or two. */
  readonly text: string
  readonly isWarning: boolean
}

/** What shall run: frozen, made before anything is done. */
export interface DeploymentPlan {
  readonly deployment: string
  readonly variants: readonly VariantPlan[]
}

/** The wanted replicas of one variant. */
export interface VariantPlan {
  /** `RouteVariant.id`: names the replicas' generation. */
  readonly id: number
  readonly name: VariantName
  readonly version: number
  readonly digest: Digest
  readonly replicas: number
}

/** What runs now. */
export interface TargetState {
  readonly gateway: ProcessState
  /** Base URLs that clients use, or undefined until the gateway listens. */
  readonly gatewayUrl: string | undefined
  readonly gatewayGrpcUrl: string | undefined
  readonly replicas: readonly ReplicaState[]
}

/** One supervised process. Instants are epoch ms. */
export interface ProcessState {
  readonly name: string
  readonly health: Health
  readonly pid: number | undefined
  readonly restarts: number
}

/** One replica of a variant. */
export interface ReplicaState extends ProcessState {
  readonly variant: number
  /** Base URLs of its HTTP and gRPC ports once it listens. */
  readonly url: string | undefined
  readonly grpcUrl: string | undefined
  /** Digest of the image that it runs, where the target can tell: somebody else may have given it another one. */
  readonly digest?: Digest | undefined
}

/**
 * How a process is.
 * - `starting`: begun for the first time, not ready yet.
 * - `ready`: model loaded and warmed, answers its readiness probe.
 * - `failing`: ended or stopped answering; it is restarted after a back-off, at `retryAt`, and stays failing, with the
 *   reason, until it is ready again. `code` is stable (`KILLED`, `EXITED`, `SPAWN`, `NOT_READY`, `UNRESPONSIVE`, or what
 *   the process itself told, such as `MODEL` and `PORT_IN_USE`), `reason` is for people and ends with the last words of
 *   its log.
 * - `stopping`: drains.
 */
export type Health =
  | { readonly state: 'starting'; readonly since: number }
  | { readonly state: 'ready'; readonly since: number }
  | {
      readonly state: 'failing'
      readonly since: number
      readonly code: string
      readonly reason: string
      readonly retryAt: number
    }
  | { readonly state: 'stopping'; readonly since: number }
