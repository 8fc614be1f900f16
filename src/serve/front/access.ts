import { createHash, timingSafeEqual } from 'node:crypto'
import { Refusal } from '../errors.ts'

/** Tells by its `authorization` header why a request is refused, if it is. */
export type Access = (authorization: string | undefined) => Refusal | undefined

/**
 * Lets in who bears the token, or everybody where there is none. A look takes the same time whatever is sent.
 * Source: RFC 6750, "Bearer Token Usage".
 */
export function toAccess(token: string | undefined): Access {
  if (token === undefined) return () => undefined
  const wanted = toHash(token)
  return authorization => {
    const given = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
    if (given === undefined) return toRefusal('Cannot answer without a token: send it as "Authorization: Bearer TOKEN"')
    if (timingSafeEqual(wanted, toHash(given))) return undefined
    return toRefusal('Cannot answer: the token is not the one that this server knows', ', error="invalid_token"')
  }
}

/** Hashes have one length, which `timingSafeEqual` needs. */
function toHash(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function toRefusal(text: string, detail = ''): Refusal {
  return new Refusal('UNAUTHENTICATED', text, { headers: { 'www-authenticate': `Bearer realm="regatta"${detail}` } })
}
