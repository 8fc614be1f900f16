/** The paths that the gateway answers itself, with their methods: how it is, what it counts, and what is for control. */
const OWN_PATHS = {
  '/livez': 'GET',
  '/readyz': 'GET',
  '/healthz': 'GET',
  '/ping': 'GET',
  '/health': 'GET',
  '/v2/health/live': 'GET',
  '/v2/health/ready': 'GET',
  '/metrics': 'GET',
  '/monitoring/prometheus/metrics': 'GET',
  '/truth': 'POST',
} as const satisfies Record<string, 'GET' | 'POST'>

/** A path that the gateway answers itself. */
export type OwnPath = keyof typeof OWN_PATHS

const METHODS = { GET: ['GET', 'HEAD'], POST: ['POST'] } as const

/** The gateway's own path that this is, or undefined. */
export function toOwnPath(path: string): OwnPath | undefined {
  return Object.hasOwn(OWN_PATHS, path) ? (path as OwnPath) : undefined
}

/** The methods of an own path. */
export function toMethods(path: OwnPath): readonly string[] {
  return METHODS[OWN_PATHS[path]]
}
