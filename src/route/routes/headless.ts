import type { RouteReplica, Routes, RouteVariant } from '../../core/wire/routes.ts'

/** Ports of every model server in a cluster. */
const HTTP_PORT = 8501
const GRPC_PORT = 8500

/** The name that a variant's replicas are found under: `{variant}` and `{id}` in the pattern stand for the variant's. */
export function toReplicaHost(pattern: string, { name, id }: RouteVariant): string {
  return pattern.replaceAll('{variant}', name).replaceAll('{id}', String(id))
}

/**
 * The routes with the replicas that were found, by the variant's id. A variant that none was found of keeps those it
 * has; a replica that stays keeps its name, and with it its connections.
 */
export function withReplicas(routes: Routes, found: ReadonlyMap<number, readonly string[]>): Routes {
  const variants = routes.variants.map(variant => {
    const addresses = found.get(variant.id) ?? []
    if (addresses.length === 0) return variant
    return { ...variant, replicas: addresses.map(address => toReplica(variant, address)).sort(byName) }
  })
  return { ...routes, variants }
}

function toReplica(variant: RouteVariant, address: string): RouteReplica {
  const host = address.includes(':') ? `[${address}]` : address
  const url = `http://${host}:${HTTP_PORT}`
  const known = variant.replicas.find(replica => replica.url === url)
  return known ?? { name: `${variant.name}-${address}`, url, grpcUrl: `http://${host}:${GRPC_PORT}` }
}

function byName(a: RouteReplica, b: RouteReplica): number {
  return a.name < b.name ? -1 : 1
}
