import { lookup } from 'node:dns/promises'
import type { Routes } from '../../core/wire/routes.ts'
import { toReplicaHost, withReplicas } from './headless.ts'

/** Finds the ready replicas of every variant by the names of their headless Services. Never rejects. */
export async function findReplicas(routes: Routes, pattern: string): Promise<Routes> {
  const found = await Promise.all(
    routes.variants.map(async variant => {
      const addresses = await lookup(toReplicaHost(pattern, variant), { all: true }).catch(() => [])
      return [variant.id, addresses.map(({ address }) => address)] as const
    }),
  )
  return withReplicas(routes, new Map(found))
}
