import { RegattaError } from '../../../core/errors.ts'
import { isObject } from '../../../core/json.ts'
import type { Kube } from '../client.node.ts'
import { at } from '../object.ts'

/** An API with one lease, that refuses whoever has not read the newest. */
export interface LeaseApi {
  readonly openLine: () => Line
  readonly holder: () => unknown
}

/**
 * A way to the API.
 * - `up`: it answers.
 * - `down`: every request fails at once.
 * - `silent`: no request arrives, and none is answered.
 * - `deaf`: requests arrive, and none is answered.
 */
export interface Line {
  readonly kube: Kube
  state: 'up' | 'down' | 'silent' | 'deaf'
}

/** Makes one. */
export function toLeaseApi(): LeaseApi {
  let lease: { readonly metadata: object; readonly spec: object } | undefined
  let version = 0
  const answer: Kube['ask'] = async (method, _path, { body } = {}) => {
    if (method === 'GET') return lease && structuredClone(toObject(lease))
    const isCurrent = lease === undefined ? method === 'POST' : at(body, 'metadata', 'resourceVersion') === `${version}`
    if (!isCurrent) throw new RegattaError('KUBE_CHANGED', 'somebody else was quicker')
    version += 1
    const [metadata, spec] = [at(body, 'metadata'), at(body, 'spec')].map(part => (isObject(part) ? part : {}))
    lease = { metadata: { ...lease?.metadata, ...metadata }, spec: { ...lease?.spec, ...spec } }
    return toObject(lease)
  }
  const toObject = ({ metadata, spec }: { readonly metadata: object; readonly spec: object }): object => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { ...metadata, name: 'm-control', resourceVersion: `${version}` },
    spec,
  })
  const openLine = (): Line => {
    const ask: Kube['ask'] = async (method, path, options) => {
      if (line.state === 'down') throw new RegattaError('KUBE_UNREACHABLE', 'away')
      const answered = line.state === 'silent' ? undefined : await answer(method, path, options)
      return line.state === 'up' ? answered : await untilAborted(options?.signal)
    }
    const line: Line = { kube: { namespace: 'team', server: 'https://cluster', ask } as Kube, state: 'up' }
    return line
  }
  return { openLine, holder: () => at(lease, 'spec', 'holderIdentity') }
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
}
