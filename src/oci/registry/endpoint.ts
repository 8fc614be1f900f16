import { RegattaError } from '../../core/errors.ts'

/** Docker Hub answers under another name than its references have (docs.docker.com, "registry-1.docker.io"). */
const DOCKER_HUB = 'docker.io'
const DOCKER_HUB_HOST = 'registry-1.docker.io'
/** The key of Docker Hub's credentials, older than its present API. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/'

/** The base addresses to try, in order: plain HTTP only for this machine itself, or where it is allowed. */
export function toOrigins(registry: string, insecure: boolean): readonly [URL, ...URL[]] {
  const host = registry === DOCKER_HUB ? DOCKER_HUB_HOST : registry
  const secure = new URL(`https://${host}`)
  const plain = new URL(`http://${host}`)
  if (isLoopback(plain.hostname)) return [plain, secure]
  return insecure ? [secure, plain] : [secure]
}

/** The names under which `auths`, `credHelpers` and credential helpers may know a registry, best first. */
export function toCredentialKeys(registry: string): readonly string[] {
  if (registry === DOCKER_HUB) return [DOCKER_HUB_KEY, 'index.docker.io', DOCKER_HUB, DOCKER_HUB_HOST]
  return [registry, `https://${registry}`, `http://${registry}`, `https://${registry}/v1/`, `https://${registry}/v2/`]
}

/** Whether a URL's host is this machine, by its name alone. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

/** How far credentials and data may go beyond the registry's own address. */
export interface Trust {
  /** The registry's own address. */
  readonly origin: URL
  /** Plain HTTP is allowed everywhere. */
  readonly insecure: boolean
}

/**
 * Reads a `Location` or a token server's address and checks that it may be followed: relative ones belong to `base`;
 * a query stays as it is. Plain HTTP is followed only where the registry may be reached so, and another host that is
 * written as a private address only from a registry that is one itself. @throws REGISTRY_LOCATION
 */
export function resolveLocation(text: string | undefined, base: URL, { insecure, origin }: Trust): URL {
  const url = parseUrl(text, base)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused(url, base, 'an address of http or https')
  if (url.origin === origin.origin) return url
  if (url.protocol === 'http:' && url.hostname === origin.hostname && url.port === '') {
    // A registry behind a proxy that ends TLS often does not know that it is reached by https.
    return new URL(`${url.pathname}${url.search}`, origin)
  }
  if (isPrivate(url.hostname) && !isPrivate(origin.hostname)) throw refused(url, base, 'a public address')
  if (url.protocol === 'http:' && !insecure && !isLoopback(url.hostname)) {
    throw refused(url, base, 'https, since plain HTTP is for this machine or --insecure')
  }
  return url
}

/** A URL as errors may show it: user, password and query can hold secrets. */
export function toPublicText(url: URL): string {
  return `${url.origin}${url.pathname}`
}

function parseUrl(text: string | undefined, base: URL): URL {
  try {
    if (text === undefined) throw new Error('There is none')
    return new URL(text, base)
  } catch (cause) {
    throw new RegattaError('REGISTRY_LOCATION', 'Cannot follow the registry: its answer has no address to go on with', {
      where: toPublicText(base),
      cause,
    })
  }
}

/** RFC 1918, RFC 3927, RFC 4193 and loopback, where written as numbers. */
function isPrivate(hostname: string): boolean {
  if (isLoopback(hostname) || /^\[(::|fe80|f[cd])/.test(hostname)) return true
  return /^(10|0|192\.168|169\.254|172\.(1[6-9]|2\d|3[01]))\.[\d.]+$/.test(hostname)
}

function refused(url: URL, base: URL, wanted: string): RegattaError {
  return new RegattaError(
    'REGISTRY_LOCATION',
    `Cannot follow the registry to ${toPublicText(url)}: expected ${wanted}`,
    { where: toPublicText(base), fix: 'Mend the external address in the registry’s configuration' },
  )
}
