import { type Digest, parseDigest } from '../../core/brands.ts'
import { RegattaError } from '../../core/errors.ts'
import { createDigester, toDigest } from '../digest.ts'
import type { Descriptor } from '../manifest.ts'
import { ACCEPT, type Document, isManifestType, MAX_MANIFEST_BYTES, parseDocument, toDigestError } from './document.ts'
import { toPublicText } from './endpoint.ts'
import type { Exchange } from './exchange.node.ts'
import type { HttpAnswer } from './http.node.ts'
import { waitToRetry } from './retry.node.ts'

/* Reading of a repository. Source: distribution-spec v1.1.1, "Pull". Whatever is read is checked against its digest. */

/** Reads a manifest or index by tag or digest. @throws REGISTRY_MISSING, REGISTRY_DIGEST, MANIFEST, REGISTRY_NONE */
export async function fetchDocument(exchange: Exchange, name: string, signal: AbortSignal): Promise<Document> {
  const found = await fetchDocumentIfAny(exchange, name, signal)
  if (found !== undefined) return found
  throw new RegattaError('REGISTRY_MISSING', `Cannot find ${toText(exchange, name)}: the registry does not have it`, {
    where: toPublicText(exchange.trust.origin),
    fix: 'Check the name and the tag',
  })
}

/** The same, or undefined where there is none. */
export async function fetchDocumentIfAny(
  exchange: Exchange,
  name: string,
  signal: AbortSignal,
): Promise<Document | undefined> {
  const answer = await exchange.ask({
    action: `read the manifest of ${toText(exchange, name)}`,
    method: 'GET',
    to: `manifests/${name}`,
    headers: { accept: ACCEPT },
    expect: [200, 404],
    signal,
  })
  if (answer.status === 404) {
    await answer.close()
    return undefined
  }
  const where = `GET ${toPublicText(answer.url)}`
  const type = answer.headers['content-type']
  const bytes = await readWhole(answer, MAX_MANIFEST_BYTES)
  if (!isManifestType(type) && /html/i.test(type ?? '')) {
    throw new RegattaError('REGISTRY_NONE', 'Cannot read image manifest: the registry answered with a web page', {
      where,
      fix: 'Check the host and the port before the first / of the reference',
    })
  }
  for (const wanted of [toAsked(name), toSaid(answer)]) {
    if (wanted !== undefined && wanted !== toDigest(bytes)) throw toDigestError(wanted, toDigest(bytes), where)
  }
  return parseDocument(bytes, type, where)
}

/** The digest that a tag has now, or undefined where there is none: without the manifest, where the registry tells. */
export async function fetchDigestIfAny(
  exchange: Exchange,
  name: string,
  signal: AbortSignal,
): Promise<Digest | undefined> {
  const answer = await exchange.ask({
    action: `look for ${toText(exchange, name)}`,
    method: 'HEAD',
    to: `manifests/${name}`,
    headers: { accept: ACCEPT },
    expect: [200, 404],
    signal,
  })
  await answer.close()
  if (answer.status === 404) return undefined
  return toSaid(answer) ?? (await fetchDocumentIfAny(exchange, name, signal))?.descriptor.digest
}

/** Whether the repository has the blob. */
export async function hasBlob(exchange: Exchange, digest: Digest, signal: AbortSignal): Promise<boolean> {
  const answer = await exchange.ask({
    action: `look for blob ${digest} in ${exchange.access.repository}`,
    method: 'HEAD',
    to: `blobs/${digest}`,
    expect: [200, 404],
    signal,
  })
  await answer.close()
  return answer.status === 200
}

/**
 * Streams a blob from byte `start` on; goes on where the connection broke off. Throws at its end where the content is
 * not that of the digest (which only a whole blob shows). @throws REGISTRY_MISSING, REGISTRY_DIGEST, REGISTRY_SLOW
 */
export async function* openRemoteBlob(
  exchange: Exchange,
  { digest, size }: Descriptor,
  start: number,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const digester = createDigester()
  let offset = start
  for (let failures = 1; offset < size || (size === 0 && failures === 1); ) {
    const before = offset
    try {
      for await (const chunk of readPart(exchange, digest, size, offset, signal)) {
        offset += chunk.byteLength
        if (start === 0) digester.update(chunk)
        yield chunk
      }
      if (offset < size) throw toShort(digest, size, offset)
      break
    } catch (error) {
      // What moved on counts as a first failure again.
      failures = offset > before ? 1 : failures
      await waitToRetry(exchange.retry, failures, error, signal)
      failures += 1
    }
  }
  const found = digester.finish()
  if (start === 0 && found !== digest) throw toDigestError(digest, found, toPublicText(exchange.trust.origin))
}

async function* readPart(
  exchange: Exchange,
  digest: Digest,
  size: number,
  offset: number,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const answer = await exchange.ask({
    action: `read blob ${digest}`,
    method: 'GET',
    to: `blobs/${digest}`,
    headers: offset === 0 ? {} : { range: `bytes=${offset}-` },
    expect: offset === 0 ? [200] : [200, 206],
    signal,
  })
  // A registry without ranges sends all again.
  let skip = answer.status === 206 ? 0 : offset
  let left = size - offset
  for await (const chunk of answer.body) {
    const part = chunk.subarray(Math.min(skip, chunk.byteLength))
    skip -= chunk.byteLength - part.byteLength
    if (part.byteLength > left)
      throw toDigestError(digest, `more than ${size} bytes`, `GET ${toPublicText(answer.url)}`)
    left -= part.byteLength
    if (part.byteLength > 0) yield part
  }
}

/** Reads a whole body of at most `maxBytes`. @throws REGISTRY_ANSWER */
export async function readWhole(answer: HttpAnswer, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of answer.body) {
    chunks.push(chunk)
    length += chunk.byteLength
    if (length > maxBytes) {
      throw new RegattaError(
        'REGISTRY_ANSWER',
        `Cannot read the registry's answer: it is longer than ${maxBytes} bytes`,
        {
          where: `${answer.method} ${toPublicText(answer.url)}`,
        },
      )
    }
  }
  return Buffer.concat(chunks)
}

/** `Docker-Content-Digest`, if it is there and of an algorithm that is known here. */
export function toSaid({ headers }: Pick<HttpAnswer, 'headers'>): Digest | undefined {
  return toAsked(headers['docker-content-digest'] ?? '')
}

function toAsked(name: string): Digest | undefined {
  return name.startsWith('sha256:') ? parseDigest(name) : undefined
}

function toShort(digest: Digest, size: number, offset: number): RegattaError {
  return new RegattaError('REGISTRY_DIGEST', `Cannot read blob ${digest}: expected ${size} bytes, found ${offset}`, {
    retryable: true,
  })
}

/** `registry/repository:tag`, for errors. */
export function toText({ access }: Exchange, name: string): string {
  return `${access.registry}/${access.repository}${name.startsWith('sha256:') ? '@' : ':'}${name}`
}
