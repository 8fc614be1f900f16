import type { Environment, Project, StatePaths } from '../config/index.ts'
import type { Clock } from '../core/clock.ts'
import { type Kube, openKubeTarget, readDocuments } from '../deploy/index.ts'
import type { ImageLayout } from '../oci/index.ts'
import { openStore } from '../store/index.ts'
import { type Control, startControl } from './control.node.ts'
import type { Logger } from './logger.ts'
import { toWebhookTarget } from './webhook/target.ts'

/** What a control in a cluster works with. */
export interface ClusterControlOptions {
  readonly project: Project
  readonly paths: Pick<StatePaths, 'database'>
  /** Holds the manifests and run records of what was deployed; no models. */
  readonly layout: ImageLayout
  readonly kube: Kube
  readonly port: number
  /** The PostgreSQL database of events; undefined for the file of `paths`. It holds a password: for no message. */
  readonly databaseUrl: string | undefined
  readonly adminToken: string
  /** Holds the webhook's URL, where one is told. */
  readonly env: Environment
  readonly clock: Clock
  readonly logger: Logger
}

/** A running one; disposal stops control and the database, and leaves what runs in the cluster as it is. */
export interface ClusterControl extends AsyncDisposable {
  readonly url: Control['url']
}

/**
 * Starts control in a pod: it makes and follows the objects of variants, and serves until the signal.
 * @throws PORT_IN_USE, KUBE_FORBIDDEN, and what the store throws
 */
export async function startClusterControl(
  options: ClusterControlOptions,
  signal: AbortSignal,
): Promise<ClusterControl> {
  const { clock, databaseUrl, kube, logger, paths, project } = options
  const webhook = toWebhookTarget(project, options.env)
  await using stack = new AsyncDisposableStack()
  const where = { path: paths.database, url: databaseUrl }
  const store = stack.use(await openStore(where, { clock, deployment: project.name }))
  // What is known of images may have been lost with the pod before this one.
  for (const document of await readDocuments(kube, project.name))
    await options.layout.writeBlob(document, 'application/octet-stream')
  const onEvent = (event: object): void => logger.warn(event, 'Cluster')
  const target = stack.use(await openKubeTarget({ project, kube, clock, onEvent }))
  // Gateways hear of routes within a second; pods serve for five more after they were told to leave.
  const timings = { leaveMs: 3000 }
  const control = await startControl({ ...options, target, store, webhook, host: '0.0.0.0', timings }, signal)
  stack.defer(() => control.close())
  const running = stack.move()
  return { url: control.url, [Symbol.asyncDispose]: () => running.disposeAsync() }
}
