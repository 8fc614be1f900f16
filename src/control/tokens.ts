import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/**
 * What a bearer of a token may do: `admin` everything, `truth` report truth, `read` see predictions and logs,
 * `gateway` fetch routes and hand in records, `predict` ask the gateway for predictions where those are closed.
 */
export type Scope = (typeof SCOPES)[number]

const SCOPES = ['admin', 'truth', 'read', 'gateway', 'predict'] as const

/**
 * Derives the token of one scope from the admin token, so that there is one secret to keep: base64url of
 * HMAC-SHA256(admin token, "regatta/" and the scope). Source: RFC 2104.
 */
export function toScopedToken(adminToken: string, scope: Scope): string {
  return createHmac('sha256', adminToken).update(`regatta/${scope}`).digest('base64url')
}

/** Tells a token's scope, or undefined for a stranger's. */
export type ScopeOf = (token: string) => Scope | undefined

/** Knows the tokens of one deployment; each look takes the same time whatever the token is. */
export function toScopeOf(adminToken: string): ScopeOf {
  const known = [
    { scope: 'admin' as const, hash: toHash(adminToken) },
    ...SCOPES.map(scope => ({ scope, hash: toHash(toScopedToken(adminToken, scope)) })),
  ]
  return token => {
    const hash = toHash(token)
    // Every entry is compared: stopping at the first match would tell which one it was.
    return known.filter(entry => timingSafeEqual(entry.hash, hash))[0]?.scope
  }
}

/** Hashes have one length, which `timingSafeEqual` needs. */
function toHash(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
