import { type Digest, parseDigest } from '../../core/brands.ts'
import { toCanonicalJson } from '../../core/json.ts'
import { type Annotations, type Descriptor, type Manifest, parseManifest, toDigest } from '../../oci/index.ts'
import { RUN_TYPE, type RunRecord, readRunByDigest } from '../../train/index.ts'
import { parseSbom, SBOM_TYPE, type Sbom } from '../describe/sbom.ts'
import { REWRITTEN, RUN } from '../image/version.ts'
import { LAYER } from '../layer/layer.ts'
import type { Findings } from './finding.ts'
import { findFile, type LayerFiles, verifyBlob } from './layer.ts'
import type { ImagePlace } from './place.ts'
import { parseDocument } from './rules.ts'

/** The run that an image names. */
export interface VerifiedRun {
  /** Of the record's manifest. */
  readonly digest: Digest
  /** Null where the record is not with the image. */
  readonly record: RunRecord | null
}

/** A bill of materials of an image, by the digest of its manifest. */
export interface VerifiedSbom {
  readonly digest: Digest
  readonly packages: Sbom['packages']
}

/** A manifest about an image, whose blobs are right. */
export interface About {
  readonly digest: Digest
  readonly manifest: Manifest
}

/** One layer of an image and what it holds; undefined for one that was not read. */
export interface ReadLayer {
  readonly layer: Descriptor
  readonly files: LayerFiles | undefined
}

/** Reads what is about a manifest, and checks its blobs. */
export async function readAbout(place: ImagePlace, subject: Digest, findings: Findings): Promise<readonly About[]> {
  const listed = (await findings.attempt(subject, () => place.listAbout(subject))) ?? []
  const found: About[] = []
  for (const { digest } of listed) {
    const manifest = await findings.attempt(digest, async () =>
      parseManifest(parseDocument(await place.readDocument(digest))),
    )
    if (manifest === undefined) continue
    if (manifest.subject?.digest !== subject) {
      findings.add(
        'REFERRER',
        digest,
        `expected it to be about ${subject}, found ${manifest.subject?.digest ?? 'nothing'}`,
      )
    }
    const blobs = [manifest.config, ...manifest.layers]
    const right = await Promise.all(blobs.map(blob => verifyBlob(() => place.openBlob(blob), blob, findings)))
    if (!right.includes(false)) found.push({ digest, manifest })
  }
  return found
}

/** Finds the record of the run that an image names, beside the image or in its place. Undefined for an image of no run. */
export async function readRun(
  place: ImagePlace,
  annotations: Annotations,
  about: readonly About[],
  findings: Findings,
): Promise<VerifiedRun | undefined> {
  const named = annotations[RUN]
  if (named === undefined) return undefined
  const digest = await findings.attempt(named, async () => parseDigest(named))
  if (digest === undefined) return undefined
  const beside = about.find(({ manifest }) => toRecordDigest(manifest) === digest)
  const source = {
    readManifest: async (of: Digest) => parseManifest(parseDocument(await place.readDocument(of))),
    readBlob: (of: Digest) => place.readDocument(of),
  }
  if (beside === undefined && !(await isHere(place, digest))) return { digest, record: null }
  const read = await findings.attempt(digest, () => readRunByDigest(source, beside?.digest ?? digest))
  return { digest, record: read?.record ?? null }
}

/** Checks that the model in an image is what its run left, but for a file that the image says was rewritten. */
export function checkModel(
  record: RunRecord,
  { annotations = {}, digest: image }: Pick<Manifest, 'annotations'> & { readonly digest: Digest },
  layers: readonly ReadLayer[],
  findings: Findings,
): void {
  const models = layers.filter(({ layer }) => layer.annotations?.[LAYER] === 'model')
  if (models.length === 0 || models.some(({ files }) => files === undefined)) return
  const found = new Set(
    models.flatMap(({ files }) => [...(files?.paths ?? [])].map(([path, digest]) => `${digest} ${path}`)),
  )
  for (const { digest, path } of record.output) {
    const start = digest === annotations[REWRITTEN] ? '' : `${digest} `
    if ([...found].some(file => file.startsWith(start) && file.endsWith(`/${path}`))) continue
    findings.add(
      'RUN_MODEL',
      image,
      `expected "${path}" of the digest ${digest}, as run ${record.id} left it, found none`,
    )
  }
}

/** Checks the bills of materials of a manifest that are regatta's against the files in it; gives the first. */
export async function readSbom(
  place: ImagePlace,
  image: Digest,
  about: readonly About[],
  layers: readonly ReadLayer[],
  findings: Findings,
): Promise<VerifiedSbom | undefined> {
  let first: VerifiedSbom | undefined
  for (const { digest, manifest } of about) {
    const [blob] = manifest.layers
    if (manifest.artifactType !== SBOM_TYPE || blob === undefined) continue
    const sbom = await tryParse(await place.readDocument(blob.digest))
    if (sbom === undefined) continue
    if (sbom.image !== image) findings.add('SBOM', digest, `expected it to be of ${image}, found ${sbom.image}`)
    checkPackages(sbom, digest, layers, findings)
    first ??= { digest, packages: sbom.packages }
  }
  return first
}

function checkPackages(sbom: Sbom, culprit: Digest, layers: readonly ReadLayer[], findings: Findings): void {
  const files = layers.flatMap(layer => layer.files ?? [])
  // A file that is not found may lie in a layer that was not read.
  const all = files.length === layers.length
  for (const { digest, path } of sbom.packages) {
    if (path === undefined || digest === undefined) continue
    const found = findFile(files, path)
    if (found === digest || (found === undefined && !all)) continue
    findings.add('SBOM', culprit, `expected "${path}" of the digest ${digest} in the image, found ${found ?? 'none'}`)
  }
}

/** Others may have written bills of materials in forms of their own. */
async function tryParse(bytes: Uint8Array): Promise<Sbom | undefined> {
  try {
    return parseSbom(parseDocument(bytes))
  } catch {
    return undefined
  }
}

/** What the record's own manifest has for a digest: all of it but the subject. */
function toRecordDigest({ subject: _, ...manifest }: Manifest): Digest | undefined {
  if (manifest.artifactType !== RUN_TYPE) return undefined
  return toDigest(new TextEncoder().encode(toCanonicalJson(manifest)))
}

async function isHere(place: ImagePlace, digest: Digest): Promise<boolean> {
  return await place.readDocument(digest).then(
    () => true,
    () => false,
  )
}
