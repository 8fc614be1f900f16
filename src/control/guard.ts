import type { RegattaError } from '../core/errors.ts'
import type { Access } from './endpoints.ts'
import { toControlError } from './errors.ts'
import type { Scope, ScopeOf } from './tokens.ts'

/** Names and addresses of this machine alone. */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|::1)$/

/** Whether an address to listen on is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host.toLowerCase())
}

/**
 * Refuses a request for a loopback address that came under another name: a web page that lets its own name point
 * to 127.0.0.1 would else read what is open to this machine ("DNS rebinding"). @throws HOST_REFUSED
 */
export function checkHost(boundHost: string, hostHeader: string | undefined): void {
  if (!isLoopback(boundHost)) return
  const name = (hostHeader ?? '').replace(/:\d+$/, '')
  if (isLoopback(name)) return
  throw toControlError(
    'HOST_REFUSED',
    `Cannot answer for host "${hostHeader ?? ''}": this address is for this machine alone`,
    'Use http://127.0.0.1 or http://localhost with the same port',
  )
}

/**
 * Checks the bearer's right. A page of another site cannot send the token, so no request of such a page changes
 * anything. Source: RFC 6750, section 2.1.
 *
 * @throws UNAUTHENTICATED, FORBIDDEN
 */
export function checkAccess(
  access: Access,
  authorization: string | undefined,
  options: { readonly scopeOf: ScopeOf; readonly boundHost: string },
): void {
  if (access === 'open' || (access === 'board' && isLoopback(options.boundHost))) return
  const wanted: Scope = access === 'board' ? 'read' : access
  const token = /^Bearer +([\w.~+/=-]+) *$/i.exec(authorization ?? '')?.[1]
  const scope = token === undefined ? undefined : options.scopeOf(token)
  if (scope === undefined) throw toUnauthenticated(token, wanted)
  if (scope === 'admin' || scope === wanted) return
  throw toControlError(
    'FORBIDDEN',
    `Cannot allow this with a token of scope "${scope}": expected "${wanted}" or "admin"`,
    `Send the ${wanted} token`,
  )
}

function toUnauthenticated(token: string | undefined, wanted: Scope): RegattaError {
  const found = token === undefined ? 'no token was sent' : 'the token sent is not one of this deployment'
  return toControlError(
    'UNAUTHENTICATED',
    `Cannot tell who asks: ${found}`,
    `Send "Authorization: Bearer TOKEN" with the ${wanted} or the admin token; the admin token is in .regatta/token`,
  )
}
