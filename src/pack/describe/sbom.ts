import { type Digest, parseDigest } from '../../core/brands.ts'
import { RegattaError } from '../../core/errors.ts'
import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Component } from './components.ts'

/** Media type of the document, and type of the artifact that holds it. */
export const SBOM_TYPE = 'application/spdx+json'

/** What the document tells of the image itself. */
export interface SbomSubject {
  readonly model: string
  readonly version: number
  /** Of the image's manifest. */
  readonly digest: Digest
  /** Epoch ms. */
  readonly createdAt: number
  /** Of the regatta that writes the document. */
  readonly regatta: string | undefined
}

/** A document that was read: the parts of an image that can be looked for in it. */
export interface Sbom {
  readonly name: string
  /** The image's manifest. */
  readonly image: Digest
  readonly packages: readonly SbomPackage[]
}

/** One package in the image. */
export interface SbomPackage {
  readonly name: string
  readonly version: string | undefined
  /** Absolute path in the image, for a package that is one file. */
  readonly path: string | undefined
  readonly digest: Digest | undefined
}

const NAMESPACE = 'https://regatta.dev/spdx/'
const UNKNOWN = 'NOASSERTION'
const PURPOSES = {
  node: 'APPLICATION',
  library: 'LIBRARY',
  package: 'LIBRARY',
  regatta: 'APPLICATION',
  model: 'FILE',
  base: 'CONTAINER',
} as const satisfies Record<Component['kind'], string>

/**
 * The bill of materials of an image: the same for the same image and components, at any time and place.
 * Files are packages, for a file of SPDX needs a SHA-1. Source: spdx.github.io/spdx-spec/v2.3.
 */
export function toSbom(subject: SbomSubject, components: readonly Component[]): Json {
  const hex = subject.digest.slice('sha256:'.length)
  const image = toImagePackage(subject)
  const parts = components.map((component, index) => toPackage(component, index))
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${subject.model}:${subject.version}`,
    documentNamespace: `${NAMESPACE}${hex}`,
    creationInfo: {
      created: toDateText(subject.createdAt),
      creators: [`Tool: regatta${subject.regatta === undefined ? '' : `-${subject.regatta}`}`],
    },
    packages: [image, ...parts],
    relationships: [
      toRelationship('SPDXRef-DOCUMENT', 'DESCRIBES', image.SPDXID),
      ...parts.map(({ SPDXID }) => toRelationship(image.SPDXID, 'CONTAINS', SPDXID)),
    ],
  }
}

/** Reads a bill of materials of an image as `toSbom` makes it. @throws SBOM, DIGEST */
export function parseSbom(value: unknown): Sbom {
  if (!isObject(value) || value['spdxVersion'] !== 'SPDX-2.3') throw unreadable('an SPDX 2.3 document')
  const { documentNamespace, name, packages } = value
  if (typeof documentNamespace !== 'string' || !documentNamespace.startsWith(NAMESPACE)) {
    throw unreadable(`a namespace below ${NAMESPACE}`)
  }
  if (typeof name !== 'string' || !Array.isArray(packages)) throw unreadable('a name and a list of packages')
  const image = parseDigest(`sha256:${documentNamespace.slice(NAMESPACE.length)}`)
  return { name, image, packages: packages.slice(1).map(parsePackage) }
}

function toImagePackage({ digest, model, version }: SbomSubject) {
  return {
    ...toPlain('SPDXRef-Image', model, String(version)),
    primaryPackagePurpose: 'CONTAINER',
    checksums: [toChecksum(digest)],
    externalRefs: [toPurl(`pkg:oci/${model.toLowerCase()}@${encodeURIComponent(digest)}`)],
  }
}

function toPackage(component: Component, index: number) {
  const { digest, kind, license, name, path, purl, version } = component
  // An id is letters, digits, dots and dashes; the number tells apart what is left the same.
  const id = `SPDXRef-${index + 1}-${name.replaceAll(/[^A-Za-z0-9.-]/g, '-')}`
  return {
    ...toPlain(id, name, version),
    primaryPackagePurpose: PURPOSES[kind],
    licenseDeclared: license ?? UNKNOWN,
    ...(path !== undefined && { packageFileName: path }),
    ...(digest !== undefined && { checksums: [toChecksum(digest)] }),
    ...(purl !== undefined && { externalRefs: [toPurl(purl)] }),
  }
}

function toPlain(id: string, name: string, version: string | undefined) {
  return {
    SPDXID: id,
    name,
    ...(version !== undefined && { versionInfo: version }),
    downloadLocation: UNKNOWN,
    filesAnalyzed: false,
    licenseConcluded: UNKNOWN,
    licenseDeclared: UNKNOWN,
    copyrightText: UNKNOWN,
  }
}

function toChecksum(digest: Digest) {
  return { algorithm: 'SHA256', checksumValue: digest.slice('sha256:'.length) }
}

function toPurl(purl: string) {
  return { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }
}

function toRelationship(from: string, type: string, to: string) {
  return { spdxElementId: from, relationshipType: type, relatedSpdxElement: to }
}

/** SPDX has seconds and no fractions of them (section 6.9). */
function toDateText(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
}

function parsePackage(value: unknown): SbomPackage {
  if (!isObject(value) || typeof value['name'] !== 'string') throw unreadable('a name of every package')
  return {
    name: value['name'],
    version: toText(value['versionInfo']),
    path: toText(value['packageFileName']),
    digest: parseChecksum(value),
  }
}

function parseChecksum({ checksums }: JsonObject): Digest | undefined {
  const found: unknown = Array.isArray(checksums)
    ? checksums.find(checksum => isObject(checksum) && checksum['algorithm'] === 'SHA256')
    : undefined
  return isObject(found) ? parseDigest(`sha256:${String(found['checksumValue'])}`) : undefined
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function unreadable(wanted: string): RegattaError {
  return new RegattaError('SBOM', `Cannot read bill of materials: expected ${wanted}`)
}
