import { parseDigest } from '../../core/brands.ts'
import type { ProcessJson, StatusJson, VariantJson } from '../api/status.ts'

const READY = { name: 'p', state: 'ready', since: '', pid: null, restarts: 0, code: null, reason: null } as const

/** The status of a deployment whose champion has one replica: all is ready but what is told otherwise. */
export function toStatusJson(champion: Partial<VariantJson> = {}, replica: Partial<ProcessJson> = {}): StatusJson {
  const digest = parseDigest(`sha256:${'a'.repeat(64)}`)
  const usual = { name: 'a', version: 1, digest, role: 'champion', weight: 1, live: true, wantedReplicas: 1 } as const
  return {
    schema: 'regatta/status/v1',
    deployment: 'm',
    target: 'kubernetes',
    epoch: 1,
    ready: true,
    gateway: { url: null, grpcUrl: null, process: READY, droppedRecords: 0 },
    variants: [{ ...usual, replicas: [{ ...READY, name: 'r', ...replica }], ...champion }],
    races: [],
  }
}
