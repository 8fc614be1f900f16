import type { Digest } from '../../core/brands.ts'
import { RegattaError } from '../../core/errors.ts'
import { hasBlob } from './content.node.ts'
import type { Exchange } from './exchange.node.ts'
import { waitToRetry } from './retry.node.ts'
import {
  abortSession,
  closeSession,
  moveSession,
  openSession,
  type Session,
  toSession,
  withDigest,
} from './session.node.ts'

/* Upload of one blob. Source: distribution-spec v1.1.1, "Pushing blobs". */

/** A blob that can be read from any byte on. */
export interface BlobSource {
  readonly digest: Digest
  readonly size: number
  /** Bytes from `start` to before `end`. */
  readonly open: (start: number, end: number) => AsyncIterable<Uint8Array>
  /** Throws where the source's own content is not that of the digest. */
  readonly verify: () => Promise<void>
}

/** How a blob came to the repository. */
export type Placed = 'reused' | 'mounted' | 'uploaded'

/** How to place a blob. */
export interface PlaceOptions {
  /** Repository of the same registry that may hold the blob. */
  readonly mountFrom: string | undefined
  /** Uploads without asking whether it is there. @default false */
  readonly force?: boolean
  /** Told how many of the bytes have been sent; it may go back. */
  readonly onSent?: (sentBytes: number) => void
  readonly signal: AbortSignal
}

/** Chunks where a whole blob at once is too much; some registries take no more than 4 MiB then. */
const CHUNK_BYTES = 16 * 1024 * 1024
const SMALL_CHUNK_BYTES = 4 * 1024 * 1024
const MIN_CHUNK_BYTES = 64 * 1024

/** Sees to it that the repository has a blob, with as few bytes as may be. */
export async function placeBlob(exchange: Exchange, source: BlobSource, options: PlaceOptions): Promise<Placed> {
  if (options.force !== true && (await hasBlob(exchange, source.digest, options.signal))) return 'reused'
  const upload: Upload = { exchange, source, options, chunkBytes: undefined, sentOffset: 0 }
  for (let failures = 1; ; failures++) {
    const session = await startSession(upload, failures === 1 ? options.mountFrom : undefined)
    if (session === 'mounted') return session
    try {
      await fillSession(upload, session)
      return 'uploaded'
    } catch (error) {
      await abortSession(exchange, session)
      if (isTooLarge(error) && upload.chunkBytes === undefined) {
        upload.chunkBytes = CHUNK_BYTES
        continue
      }
      // An early 413 is lost where the registry closes the connection on it: smaller parts show whether it was one.
      if (isBroken(error) && failures > 1) upload.chunkBytes ??= CHUNK_BYTES
      if (isDigestRefused(error)) await source.verify()
      await waitToRetry(exchange.retry, failures, error, options.signal)
    }
  }
}

/** One blob on its way. */
interface Upload {
  readonly exchange: Exchange
  readonly source: BlobSource
  readonly options: PlaceOptions
  /** Bytes of a chunk, or undefined to send the blob whole. */
  chunkBytes: number | undefined
  sentOffset: number
}

async function startSession(upload: Upload, mountFrom: string | undefined): Promise<Session | 'mounted'> {
  const { exchange, options, source } = upload
  const ask = { action: toAction(upload), method: 'POST', signal: options.signal } as const
  if (mountFrom !== undefined) {
    const query = new URLSearchParams({ mount: source.digest, from: mountFrom })
    // Registries word the refusal of a mount in many ways: whatever it is, a plain upload is tried next.
    const answer = await exchange.ask({ ...ask, to: `blobs/uploads/?${query}`, expect: [201, 202] }).catch(error => {
      if (options.signal.aborted || !(error instanceof RegattaError)) throw error
      return undefined
    })
    await answer?.close()
    if (answer?.status === 201) return 'mounted'
    // 202 is a session like any other; an answer without an address opened none.
    if (answer?.headers['location'] !== undefined) return toSession(exchange, answer)
  }
  return await openSession(exchange, toAction(upload), options.signal)
}

async function fillSession(upload: Upload, session: Session): Promise<void> {
  if (upload.chunkBytes !== undefined) return await sendChunks(upload, session, 0)
  try {
    await sendWhole(upload, session)
  } catch (error) {
    if (!(error instanceof RegattaError) || !error.retryable) throw error
    // The connection broke off: what has arrived need not be sent again, if the registry kept it.
    const offset = await fetchOffset(upload, session)
    if (offset === undefined || offset === 0) throw error
    upload.chunkBytes = CHUNK_BYTES
    await sendChunks(upload, session, offset)
  }
}

async function sendWhole(upload: Upload, { location }: Session): Promise<void> {
  const { exchange, source } = upload
  const answer = await exchange.ask({
    action: toAction(upload),
    method: 'PUT',
    to: withDigest(location, source.digest),
    headers: { 'content-type': 'application/octet-stream' },
    body: { sizeBytes: source.size, open: () => tell(upload, 0, source.size) },
    expect: [201],
    retry: false,
    signal: upload.options.signal,
  })
  await answer.close()
}

/** Sends a blob from `offset` on in pieces, one after the other, and closes the session. */
async function sendChunks(upload: Upload, session: Session, offset: number): Promise<void> {
  const { exchange, options, source } = upload
  let furthest = offset
  for (let failures = 1; offset < source.size; ) {
    const end = Math.min(source.size, offset + Math.max(upload.chunkBytes ?? CHUNK_BYTES, session.minChunkBytes))
    try {
      offset = await sendChunk(upload, session, offset, end)
      if (offset > furthest) failures = 1
      else throw toStuck(upload, offset)
      furthest = offset
    } catch (error) {
      shrinkChunk(upload, session, error)
      await waitToRetry(exchange.retry, failures, toWorthRetry(error), options.signal)
      failures += 1
      const found = await fetchOffset(upload, session)
      if (found === undefined) throw error
      offset = found
    }
  }
  await closeSession(exchange, toAction(upload), session, source.digest, options.signal)
}

/** Returns the offset that the registry has come to. */
async function sendChunk(upload: Upload, session: Session, start: number, end: number): Promise<number> {
  const answer = await upload.exchange.ask({
    action: toAction(upload),
    method: 'PATCH',
    to: session.location,
    headers: { 'content-type': 'application/octet-stream', 'content-range': `${start}-${end - 1}` },
    body: { sizeBytes: end - start, open: () => tell(upload, start, end) },
    expect: [202, 201, 204],
    retry: false,
    signal: upload.options.signal,
  })
  await answer.close()
  moveSession(upload.exchange, session, answer)
  return answer.headers['range'] === undefined || end === 1 ? end : parseOffset(answer.headers['range'])
}

/** Asks how much has arrived; undefined where the session is gone. Source: "Pushing a blob in chunks", upload status. */
async function fetchOffset(upload: Upload, session: Session): Promise<number | undefined> {
  const { exchange, options } = upload
  const to = session.location
  const ask = { action: toAction(upload), method: 'GET', to, expect: [204, 202, 200], signal: options.signal } as const
  const answer = await exchange.ask(ask).catch(error => {
    options.signal.throwIfAborted()
    if (!(error instanceof RegattaError)) throw error
    return undefined
  })
  if (answer === undefined) return undefined
  await answer.close()
  moveSession(exchange, session, answer)
  return parseOffset(answer.headers['range'])
}

/** `0-1023` means 1024 bytes; `0-0` is how registries write none. */
function parseOffset(range: string | undefined): number {
  const last = Number(/^(?:bytes=)?0-(\d{1,15})$/.exec(range ?? '')?.[1] ?? 0)
  return last === 0 ? 0 : last + 1
}

/** 413, or a broken connection: less at once. 416: some registries say so to chunks that are too long for them. */
function shrinkChunk(upload: Upload, { minChunkBytes }: Session, error: unknown): void {
  const now = upload.chunkBytes ?? CHUNK_BYTES
  const least = Math.max(MIN_CHUNK_BYTES, minChunkBytes)
  if (isTooLarge(error)) {
    if (now <= least) throw error
    upload.chunkBytes = Math.max(least, Math.floor(now / 4))
  } else if (isBroken(error)) upload.chunkBytes = Math.max(least, Math.floor(now / 4))
  else if (hasStatus(error, 416)) upload.chunkBytes = Math.max(least, Math.min(now, SMALL_CHUNK_BYTES))
}

/** The same chunk is not sent again after 413 and 416, so another attempt may do. */
function toWorthRetry(error: unknown): unknown {
  if (!isTooLarge(error) && !hasStatus(error, 416)) return error
  const { code, message } = error instanceof RegattaError ? error : { code: 'REGISTRY_ANSWER', message: '' }
  return new RegattaError(code, message, { cause: error, retryable: true })
}

function isTooLarge(error: unknown): boolean {
  return hasStatus(error, 413)
}

function isBroken(error: unknown): boolean {
  return error instanceof RegattaError && error.code === 'REGISTRY_UNREACHABLE'
}

function hasStatus(error: unknown, status: number): boolean {
  return error instanceof Error && 'status' in error && error.status === status
}

function isDigestRefused(error: unknown): boolean {
  return hasStatus(error, 400) && error instanceof Error && 'said' in error && /DIGEST_INVALID/.test(String(error.said))
}

function toStuck(upload: Upload, offset: number): RegattaError {
  return new RegattaError('REGISTRY_ANSWER', `Cannot ${toAction(upload)}: it stays at byte ${offset}`, {
    retryable: true,
  })
}

async function* tell({ options, source }: Upload, start: number, end: number): AsyncIterable<Uint8Array> {
  let sent = start
  for await (const chunk of source.open(start, end)) {
    yield chunk
    sent += chunk.byteLength
    options.onSent?.(sent)
  }
}

function toAction({ exchange, source }: Upload): string {
  return `upload blob ${source.digest} to ${exchange.access.registry}/${exchange.access.repository}`
}
