import { RegattaError } from '../../../core/errors.ts'
import { isObject } from '../../../core/json.ts'
import type { Kube } from '../client.node.ts'
import { at } from '../object.ts'

/** An API with one lease, that refuses whoever has not read the newest. */
export interface LeaseApi {
  readonly kube: Kube
  readonly holder: () => unknown
  /** Stops answering, or answers again. */
  away: boolean
}

/** Makes one. */
export function toLeaseApi(): LeaseApi {
  let lease: { readonly metadata: object; readonly spec: object } | undefined
  let version = 0
  const ask: Kube['ask'] = async (method, _path, { body } = {}) => {
    if (api.away) throw new RegattaError('KUBE_UNREACHABLE', 'away')
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
  const api: LeaseApi = {
    kube: { namespace: 'team', server: 'https://cluster', ask } as Kube,
    holder: () => at(lease, 'spec', 'holderIdentity'),
    away: false,
  }
  return api
}
