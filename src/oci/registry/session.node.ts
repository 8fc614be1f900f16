import type { Digest } from '../../core/brands.ts'
import { resolveLocation } from './endpoint.ts'
import type { Exchange } from './exchange.node.ts'
import type { HttpAnswer } from './http.node.ts'

/* An upload of a registry. Source: distribution-spec v1.1.1, "Pushing blobs". */

/** An open upload session. Its address changes with every answer. */
export interface Session {
  location: URL
  /** Least bytes of a chunk but the last, as the registry wants it. */
  minChunkBytes: number
}

const ABORT_TIMEOUT_MS = 5000

/** Opens a session. `action` is for errors. @throws REGISTRY_* */
export async function openSession(exchange: Exchange, action: string, signal: AbortSignal): Promise<Session> {
  const answer = await exchange.ask({ action, method: 'POST', to: 'blobs/uploads/', expect: [202], signal })
  await answer.close()
  return toSession(exchange, answer)
}

/** The session that an answer opens. @throws REGISTRY_LOCATION */
export function toSession({ trust }: Exchange, answer: HttpAnswer): Session {
  const asked = Number(answer.headers['oci-chunk-min-length'] ?? 0)
  return {
    location: resolveLocation(answer.headers['location'], answer.url, trust),
    minChunkBytes: Number.isSafeInteger(asked) && asked > 0 ? asked : 0,
  }
}

/** Follows the session to where an answer says that it is now. @throws REGISTRY_LOCATION */
export function moveSession({ trust }: Exchange, session: Session, { headers, url }: HttpAnswer): void {
  if (headers['location'] !== undefined) session.location = resolveLocation(headers['location'], url, trust)
}

/** Ends a session all of whose bytes have been sent: from now on the repository has the blob. @throws REGISTRY_* */
export async function closeSession(
  exchange: Exchange,
  action: string,
  { location }: Session,
  digest: Digest,
  signal: AbortSignal,
): Promise<void> {
  const answer = await exchange.ask({
    action,
    method: 'PUT',
    to: withDigest(location, digest),
    headers: { 'content-type': 'application/octet-stream' },
    body: { sizeBytes: 0, open: () => new Uint8Array() },
    expect: [201],
    retry: false,
    signal,
  })
  await answer.close()
}

/** Closes a session whose blob does not come; the registry does so itself in a while, so failure is no news. */
export async function abortSession(exchange: Exchange, { location }: Session): Promise<void> {
  const ask = { action: 'end an upload', method: 'DELETE', to: location, retry: false } as const
  const expect = [204, 202, 200, 404]
  await exchange
    .ask({ ...ask, expect, signal: AbortSignal.timeout(ABORT_TIMEOUT_MS) })
    .then(answer => answer.close())
    .catch(() => undefined)
}

/** The address that ends a session. */
export function withDigest(location: URL, digest: Digest): URL {
  // Appended as text: the rest of the query is the registry's, and stays as it was to the letter.
  const url = new URL(location)
  url.search = `${location.search === '' ? '?' : `${location.search}&`}digest=${encodeURIComponent(digest)}`
  return url
}
