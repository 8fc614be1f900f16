import { AsyncLocalStorage } from 'node:async_hooks'
import type { VersionMetrics } from './metrics.ts'
import type { Protocol } from './protocols.ts'
import type { RequestTrace } from './tracing.ts'

/**
 * A request on its way through the server, for whoever counts, times and traces it. It goes beside the protocols, which
 * need not know of it.
 */
export interface Call {
  readonly protocol: Protocol
  readonly trace: RequestTrace | undefined
  /** Whose request it is, once that is known. */
  metrics: VersionMetrics | undefined
}

const calls = new AsyncLocalStorage<Call>()

/** Does the work of a call; everything that it waits for belongs to the call, too. */
export function runCall<result>(call: Call, work: () => result): result {
  return calls.run(call, work)
}

/** The call that this work belongs to, if any. */
export function findCall(): Call | undefined {
  return calls.getStore()
}

/** Notes whose request this is, so that it is counted there, whatever it is answered with. */
export function noteModel(metrics: VersionMetrics): void {
  const call = calls.getStore()
  if (call !== undefined) call.metrics = metrics
}
