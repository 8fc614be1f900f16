import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Environment, type Project, type StatePaths, toStartDigest } from '../config/index.ts'
import type { Clock } from '../core/clock.ts'
import { findFreePort } from '../core/free-port.node.ts'
import { readProcessId } from '../core/process.node.ts'
import { type UpRecord, writeUpRecord } from '../core/up-record.node.ts'
import { type LocalTargetOptions, openLocalTarget } from '../deploy/index.ts'
import type { ImageLayout } from '../oci/index.ts'
import { openStore } from '../store/index.ts'
import { startControl } from './control.node.ts'
import type { Logger } from './logger.ts'
import { toScopedToken } from './tokens.ts'
import { toWebhookTarget } from './webhook/target.ts'

/** What a control with its processes on this machine works with. */
export interface LocalControlOptions {
  readonly project: Project
  readonly paths: Pick<StatePaths, 'database' | 'local' | 'upRecord'>
  readonly layout: ImageLayout
  readonly commands: LocalTargetOptions['commands']
  /** The PostgreSQL database of events; undefined for the file of `paths`. It holds a password: for no message. */
  readonly databaseUrl: string | undefined
  readonly adminToken: string
  readonly clock: Clock
  readonly logger: Logger
  /** Where the secrets are that regatta.yaml names. */
  readonly env: Environment
}

/** A running one; disposal stops control, the processes and the database, in this order. */
export interface LocalControl extends AsyncDisposable {
  /** How to reach it, as it is on record for the command line. */
  readonly record: UpRecord
}

/**
 * Starts control on this machine: the database, the supervisor of the local target with what it has on record, and the
 * API at the address that the project names. It serves until the signal, and its processes run until disposal.
 * @throws PORT_IN_USE, WEBHOOK, and what the store and the target throw
 */
export async function startLocalControl(options: LocalControlOptions, signal: AbortSignal): Promise<LocalControl> {
  const { adminToken, clock, commands, databaseUrl, layout, logger, paths, project } = options
  const webhook = toWebhookTarget(project, options.env)
  await using stack = new AsyncDisposableStack()
  const where = { path: paths.database, url: databaseUrl }
  const store = stack.use(await openStore(where, { clock, deployment: project.name }))
  const { controlPort, grpcPort, host, httpPort } = project.targets.local
  // The gateway is told control's address before control listens, so "any port" is settled first.
  const port = controlPort === 0 ? await findFreePort(host) : controlPort
  const controlUrl = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  const target = stack.use(
    await openLocalTarget({
      folder: paths.local,
      layout,
      deployment: project.name,
      commands,
      gateway: { host, httpPort, grpcPort, controlUrl, ...toGatewayAccess(project, adminToken) },
      clock,
      onEvent: event => logger.info(event, 'Supervision'),
    }),
  )
  const control = await startControl(
    { project, target, store, layout, host, port, adminToken, clock, logger, webhook },
    signal,
  )
  stack.defer(() => control.close())
  const own = readProcessId(process.pid)
  if (own === undefined) throw new Error('Cannot read the identity of this process from /proc')
  const record = { process: own, controlUrl: control.url, startedWith: toStartDigest(project) }
  await writeUpRecord(paths.upRecord, record)
  stack.defer(() => rm(paths.upRecord, { force: true }))
  const running = stack.move()
  return { record, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** The gateway's token for control, and who may ask it how. */
function toGatewayAccess({ folder, serve, targets }: Project, adminToken: string) {
  const { tls } = targets.local
  return {
    token: toScopedToken(adminToken, 'gateway'),
    predictToken: serve.access === 'token' ? toScopedToken(adminToken, 'predict') : undefined,
    tls: tls && {
      cert: resolve(folder, tls.cert),
      key: resolve(folder, tls.key),
      clientCa: tls.clientCa === undefined ? undefined : resolve(folder, tls.clientCa),
    },
    origins: serve.cors,
  }
}
