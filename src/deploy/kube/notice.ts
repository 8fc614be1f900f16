import type { Notice } from '../target.ts'
import { toNames } from './settings.ts'

/** What an event may say. Source: k8s.io/kubernetes/pkg/apis/core/validation, events: 1024 bytes. */
const MAX_TEXT = 1000

/** What an event says beside the notice. */
export interface EventFacts {
  readonly deployment: string
  readonly namespace: string
  readonly at: Date
  /** Of the gateway's Deployment; undefined where it is not known. `kubectl describe` finds events by it. */
  readonly uid: string | undefined
}

/** The event of a notice, about the gateway's Deployment: what a deployment is to those who look at its objects. */
export function toEventObject(
  { reason, text, isWarning }: Notice,
  { deployment, namespace, at, uid }: EventFacts,
): object {
  const { gateway } = toNames(deployment)
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { generateName: `${gateway}.`, namespace },
    involvedObject: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: gateway,
      namespace,
      ...(uid !== undefined && { uid }),
    },
    reason,
    message: Buffer.from(text).subarray(0, MAX_TEXT).toString(),
    type: isWarning ? 'Warning' : 'Normal',
    source: { component: 'regatta' },
    firstTimestamp: at.toISOString(),
    lastTimestamp: at.toISOString(),
    count: 1,
  }
}
