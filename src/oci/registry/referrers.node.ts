import type { Digest } from '../../core/brands.ts'
import { isObject, toCanonicalJson } from '../../core/json.ts'
import { type Descriptor, MEDIA_TYPES, parseDescriptor } from '../manifest.ts'
import { fetchDocumentIfAny, readWhole, toSaid, toText } from './content.node.ts'
import { type Document, MAX_MANIFEST_BYTES, parseDocument, toDigestError } from './document.ts'
import { resolveLocation, toPublicText } from './endpoint.ts'
import type { Exchange } from './exchange.node.ts'
import type { HttpAnswer } from './http.node.ts'

/*
 * Manifests that tell something about another (its `subject`). Registries without the referrers API keep the list of
 * them as an index under the tag `sha256-HEX`, which clients maintain.
 * Source: distribution-spec v1.1.1, "Listing Referrers" and "Pushing Manifests with Subject".
 */

const MAX_PAGES = 100

/** Writes a manifest under a tag or its digest; one with a subject is found among its referrers from then on. */
export async function putDocument(
  exchange: Exchange,
  document: Document,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const answer = await putManifest(exchange, document, name, signal)
  if (document.subject === undefined || answer.headers['oci-subject'] !== undefined) return
  await addToReferrersTag(exchange, document, document.subject.digest, signal)
}

/** Lists what is about a manifest; by the API where there is one, else by the tag. @throws REGISTRY_ANSWER, MANIFEST */
export async function fetchReferrers(
  exchange: Exchange,
  subject: Digest,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  const found = await fetchByApi(exchange, subject, signal)
  if (found !== undefined) return found
  return (await fetchDocumentIfAny(exchange, toReferrersTag(subject), signal))?.manifests ?? []
}

async function putManifest(
  exchange: Exchange,
  { bytes, descriptor }: Document,
  name: string,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const answer = await exchange.ask({
    action: `write the manifest ${toText(exchange, name)}`,
    method: 'PUT',
    to: `manifests/${name}`,
    headers: { 'content-type': descriptor.mediaType },
    body: { sizeBytes: bytes.byteLength, open: () => bytes },
    expect: [200, 201, 202],
    signal,
  })
  await answer.close()
  const said = toSaid(answer)
  if (said !== undefined && said !== descriptor.digest) {
    throw toDigestError(descriptor.digest, said, `PUT ${toPublicText(answer.url)}`)
  }
  return answer
}

async function addToReferrersTag(
  exchange: Exchange,
  document: Document,
  subject: Digest,
  signal: AbortSignal,
): Promise<void> {
  const tag = toReferrersTag(subject)
  const found = await fetchDocumentIfAny(exchange, tag, signal)
  if (found?.manifests.some(({ digest }) => digest === document.descriptor.digest)) return
  const listed = found === undefined ? [] : toRawManifests(found.bytes)
  const index = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.index,
    manifests: [...listed, toReferrer(document)],
  }
  const bytes = new TextEncoder().encode(toCanonicalJson(index))
  await putManifest(exchange, parseDocument(bytes, MEDIA_TYPES.index, tag), tag, signal)
}

/** What this program does not know of an entry is written back. */
function toRawManifests(bytes: Uint8Array): readonly unknown[] {
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
  return isObject(value) && Array.isArray(value['manifests']) ? value['manifests'] : []
}

/** Its descriptor, with its artifact type (of old ones: the type of its config) and its annotations. */
function toReferrer({ annotations, blobs, descriptor }: Document): Descriptor {
  const artifactType = descriptor.artifactType ?? blobs[0]?.mediaType
  return { ...descriptor, ...(artifactType !== undefined && { artifactType }), annotations }
}

async function fetchByApi(
  exchange: Exchange,
  subject: Digest,
  signal: AbortSignal,
): Promise<readonly Descriptor[] | undefined> {
  const found: Descriptor[] = []
  let to: URL | string = `referrers/${subject}`
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer: HttpAnswer = await exchange.ask({
      action: `list what is about ${toText(exchange, subject)}`,
      method: 'GET',
      to,
      headers: { accept: MEDIA_TYPES.index },
      expect: [200, 400, 404, 405],
      signal,
    })
    if (answer.status !== 200 || !(answer.headers['content-type'] ?? '').startsWith(MEDIA_TYPES.index)) {
      await answer.close()
      return undefined
    }
    found.push(...toRawManifests(await readWhole(answer, MAX_MANIFEST_BYTES)).map(parseDescriptor))
    const next = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(answer.headers['link'] ?? '')?.[1]
    if (next === undefined) break
    to = resolveLocation(next, answer.url, exchange.trust)
  }
  return found
}

/** Source: distribution-spec v1.1.1, "Referrers Tag Schema". */
function toReferrersTag(subject: Digest): string {
  return subject.replace(':', '-')
}
