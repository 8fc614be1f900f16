import { setTimeout as sleep } from 'node:timers/promises'
import { toErrorText } from '../../core/errors.ts'
import { isRefused, type Kube } from './client.node.ts'
import { toApiVersion, toPath } from './kinds.ts'
import { toLabels } from './labels.ts'
import { type KubeObject, numberAt, textAt, toKubeObject } from './object.ts'
import { toNames } from './settings.ts'

/** Who wants to lead, and where others reach it then. */
export interface LeaseOptions {
  readonly kube: Kube
  readonly deployment: string
  /** Tells it from every other, such as the name of its pod. */
  readonly holder: string
  readonly address: string
  /** Told whenever somebody else leads, with their address; undefined while nobody does. */
  readonly onLeader: (address: string | undefined) => void
  /** Told of a look or a renewal that failed. */
  readonly onAway: (reason: string) => void
  readonly timings?: Partial<LeaseTimings>
}

/** How a lease is kept, ms. Source: k8s.io/client-go/tools/leaderelection, its usual times. */
export interface LeaseTimings {
  /** A lease that was not renewed for so long is anybody's. @default 15_000 */
  readonly durationMs: number
  /** A holder that could not renew it for so long gives up: before others may take it. @default 10_000 */
  readonly deadlineMs: number
  /** From one look or renewal to the next. @default 2000 */
  readonly retryMs: number
}

const USUAL: LeaseTimings = { durationMs: 15_000, deadlineMs: 10_000, retryMs: 2000 }

/** A lease that is held; disposal gives it back. */
export interface HeldLease extends AsyncDisposable {
  /** Aborted once it could not be renewed in time: somebody else may lead. */
  readonly lost: AbortSignal
}

const ADDRESS = 'regatta.dev/address'

/** Waits until the lease of a deployment's control is held, and renews it from then on. @throws KUBE_FORBIDDEN */
export async function acquireLease(options: LeaseOptions, signal: AbortSignal): Promise<HeldLease> {
  const { holder, onAway, onLeader } = options
  const timings = { ...USUAL, ...options.timings }
  let seen = { version: '', at: 0 }
  for (;;) {
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(timings.deadlineMs)])
    try {
      const lease = await readLease(options, inTime)
      const version = textAt(lease, 'metadata', 'resourceVersion') ?? ''
      // Clocks differ between nodes: what counts is how long this one has seen no change.
      if (version !== seen.version) seen = { version, at: performance.now() }
      const leader = textAt(lease, 'spec', 'holderIdentity') ?? ''
      const isFree = leader === '' || leader === holder || performance.now() - seen.at > timings.durationMs
      const address = textAt(lease, 'metadata', 'annotations', ADDRESS)
      // This one may have got the address of one that is gone: whoever connects would be led in a circle.
      onLeader(isFree || address === options.address ? undefined : address)
      const takenAt = performance.now()
      if (isFree && (await takeLease(options, lease, timings, inTime))) return keep(options, timings, takenAt)
    } catch (error) {
      if (signal.aborted || isRefused(error, 'KUBE_FORBIDDEN')) throw error
      onAway(toErrorText(error))
    }
    await sleep(timings.retryMs, undefined, { signal })
  }
}

async function readLease({ kube, deployment }: LeaseOptions, signal: AbortSignal): Promise<KubeObject | undefined> {
  const path = toPath('Lease', kube.namespace, toNames(deployment).control)
  return toKubeObject(await kube.ask('GET', path, { signal }))
}

/** Says whether it was taken: somebody else may have been quicker. */
async function takeLease(
  options: LeaseOptions,
  lease: KubeObject | undefined,
  { durationMs }: LeaseTimings,
  signal: AbortSignal,
): Promise<boolean> {
  const { address, holder } = options
  const now = toMicroTime()
  const spec = {
    holderIdentity: holder,
    leaseDurationSeconds: Math.ceil(durationMs / 1000),
    acquireTime: now,
    renewTime: now,
    leaseTransitions: numberAt(lease, 'spec', 'leaseTransitions') + (lease === undefined ? 0 : 1),
  }
  try {
    await writeLease(options, lease, { metadata: { annotations: { [ADDRESS]: address } }, spec }, signal)
    return true
  } catch (error) {
    if (isRefused(error, 'KUBE_CHANGED')) return false
    throw error
  }
}

interface LeaseChange {
  readonly metadata?: object
  readonly spec: object
}

/** Changes the lease as it was read, or makes it. @throws KUBE_CHANGED where it has changed since */
async function writeLease(
  { kube, deployment }: LeaseOptions,
  lease: KubeObject | undefined,
  { metadata, spec }: LeaseChange,
  signal: AbortSignal,
): Promise<void> {
  const name = toNames(deployment).control
  if (lease === undefined) {
    const own = { ...metadata, name, namespace: kube.namespace, labels: toLabels(deployment, 'control') }
    const body = { apiVersion: toApiVersion('Lease'), kind: 'Lease', metadata: own, spec }
    await kube.ask('POST', toPath('Lease', kube.namespace), { body, signal })
    return
  }
  const body = { metadata: { ...metadata, resourceVersion: lease.metadata['resourceVersion'] }, spec }
  const type = 'application/merge-patch+json'
  await kube.ask('PATCH', toPath('Lease', kube.namespace, name), { body, type, signal })
}

function keep(options: LeaseOptions, timings: LeaseTimings, takenAt: number): HeldLease {
  const lost = new AbortController()
  const closing = new AbortController()
  const kept = renewUntil(options, timings, { takenAt, lost, closing: closing.signal })
  return {
    lost: lost.signal,
    async [Symbol.asyncDispose]() {
      closing.abort()
      await kept
      if (lost.signal.aborted) return
      const soon = AbortSignal.timeout(timings.retryMs)
      await giveBack(options, soon).catch(error => options.onAway(toErrorText(error)))
    },
  }
}

interface Keeping {
  /** Begin of the request that took it: others count from the time when the cluster heard of it, which is later. */
  readonly takenAt: number
  readonly lost: AbortController
  readonly closing: AbortSignal
}

/** Never rejects. */
async function renewUntil(
  options: LeaseOptions,
  timings: LeaseTimings,
  { takenAt, lost, closing }: Keeping,
): Promise<void> {
  let renewedAt = takenAt
  while (!closing.aborted) {
    await sleep(timings.retryMs, undefined, { signal: closing }).catch(() => {})
    if (closing.aborted) return
    const startedAt = performance.now()
    // A renewal that hangs may not outlast the lease, whenever it began.
    const leftMs = Math.max(0, Math.ceil(renewedAt + timings.deadlineMs - startedAt))
    const isHeld = await renew(options, timings, AbortSignal.timeout(leftMs)).catch(error => {
      options.onAway(toErrorText(error))
      return undefined
    })
    if (isHeld === true) renewedAt = startedAt
    if (isHeld !== false && performance.now() - renewedAt < timings.deadlineMs) continue
    lost.abort(new Error('The lease of control was lost: another may lead'))
    return
  }
}

/** False where somebody else holds it. */
async function renew(options: LeaseOptions, timings: LeaseTimings, signal: AbortSignal): Promise<boolean> {
  const lease = await readLease(options, signal)
  if (lease === undefined) return await takeLease(options, undefined, timings, signal)
  if (textAt(lease, 'spec', 'holderIdentity') !== options.holder) return false
  await writeLease(options, lease, { spec: { renewTime: toMicroTime() } }, signal)
  return true
}

async function giveBack(options: LeaseOptions, signal: AbortSignal): Promise<void> {
  const lease = await readLease(options, signal)
  if (lease === undefined || textAt(lease, 'spec', 'holderIdentity') !== options.holder) return
  await writeLease(options, lease, { spec: { holderIdentity: '' } }, signal)
}

/** Six digits after the second. Source: k8s.io/apimachinery/pkg/apis/meta/v1, "MicroTime". */
function toMicroTime(): string {
  return new Date().toISOString().replace('Z', '000Z')
}
