import { acquireLease, type HeldLease, type Kube } from '../deploy/index.ts'
import type { Logger } from './logger.ts'
import { openStandby } from './standby.node.ts'

/** One control of several. */
export interface LeadingOptions {
  readonly kube: Kube
  /** `name` of regatta.yaml. */
  readonly deployment: string
  readonly one: { readonly holder: string; readonly address: string }
  /** Port that every control listens on. */
  readonly port: number
  readonly logger: Logger
}

/** Waits until this control leads, and stands in for the one that does until then. @throws PORT_IN_USE, KUBE_FORBIDDEN */
export async function untilLeading(options: LeadingOptions, signal: AbortSignal): Promise<HeldLease> {
  const { kube, deployment, logger, one, port } = options
  await using standby = await openStandby({ host: '0.0.0.0', port })
  logger.info({ port }, 'Waiting for the lease')
  const lease = await acquireLease(
    {
      ...{ kube, deployment, ...one },
      onLeader: host => standby.lead(host === undefined ? undefined : { host, port }),
      onAway: reason => logger.warn({ reason }, 'The lease cannot be looked at'),
    },
    signal,
  )
  logger.info({ holder: one.holder }, 'Leading')
  return lease
}
