import type { Digest } from '../../core/brands.ts'
import { isObject } from '../../core/json.ts'
import type { LayerFile, LayerPlan } from '../layer/layer.ts'

/** A part of an image that somebody made and versions, or that is of interest by itself. */
export interface Component {
  readonly kind: 'node' | 'library' | 'package' | 'regatta' | 'model' | 'base'
  readonly name: string
  readonly version?: string
  /** Absolute path in the image. */
  readonly path?: string
  /** Of the file at `path`, or of a base image. */
  readonly digest?: Digest
  /** An SPDX licence identifier; absent where it is not known. */
  readonly license?: string
  /** Source: github.com/package-url/purl-spec. */
  readonly purl?: string
}

/** The parts of a layer that tell its components. */
export type ComponentLayer = Pick<LayerPlan, 'kind' | 'entries'>

/** An image that another stands on, by its full name and the digest of its manifest. */
export interface BaseImage {
  readonly name: string
  readonly digest: Digest
}

/** Versions that no file of an image tells. */
export interface KnownVersions {
  /** Undefined where the caller does not tell. */
  readonly regatta: string | undefined
  /** Of the Node in the base layer; undefined where there is none, or its version is not known. */
  readonly node: string | undefined
}

const NODE = /^(.+\/)?bin\/node$/
const OWN = /^opt\/regatta\/[^/]+\.js$/
const LIBRARY = /\.so(\.\d+)*$|\.node$/
const NPM_PACKAGE = /(^|\/)node_modules\/((@[^/]+\/)?[^/]+)\/package\.json$/
const PYTHON_PACKAGE = /(^|\/)[^/]+\.dist-info\/METADATA$/
/** Enough of a package's own description to hold its name and version. */
const MAX_DESCRIPTION_BYTES = 1024 * 1024
const LICENSES = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'MPL-2.0', 'Unlicense'])

/**
 * The components of layers, in the order of their paths: Node, shared libraries, packages of npm and Python with what
 * they say of themselves, regatta's bundles, the files of the model. Other files are no components.
 * @throws FILE_CHANGED
 */
export async function readComponents(
  layers: readonly ComponentLayer[],
  versions: KnownVersions,
): Promise<readonly Component[]> {
  const found: Component[] = []
  for (const { entries, kind } of layers) {
    for (const entry of entries) {
      if (entry.kind !== 'file') continue
      const component = kind === 'model' ? toModel(entry) : await readComponent(entry, versions)
      if (component !== undefined) found.push(component)
    }
  }
  return found.sort((a, b) => Buffer.compare(Buffer.from(a.path ?? ''), Buffer.from(b.path ?? '')))
}

/** The component that an image stands on, whose own parts are not known here. */
export function toBaseComponent({ digest, name }: BaseImage): Component {
  const last = toBaseName(name).replace(/[:@].*$/, '')
  return { kind: 'base', name, digest, purl: `pkg:oci/${last.toLowerCase()}@${encodeURIComponent(digest)}` }
}

async function readComponent(file: LayerFile, versions: KnownVersions): Promise<Component | undefined> {
  const { path } = file
  const place = { path: `/${path}`, digest: file.digest }
  if (NODE.test(path)) return toNode(place, versions.node)
  if (OWN.test(path))
    return {
      kind: 'regatta',
      name: 'regatta',
      ...(versions.regatta !== undefined && { version: versions.regatta }),
      license: 'Apache-2.0',
      ...place,
    }
  const npm = NPM_PACKAGE.exec(path)?.[2]
  if (npm !== undefined) return { ...(await readNpmPackage(npm, file)), ...place }
  if (PYTHON_PACKAGE.test(path)) {
    const found = await readPythonPackage(file)
    return found && { ...found, ...place }
  }
  return LIBRARY.test(path) ? { kind: 'library', name: toBaseName(path), ...place } : undefined
}

function toModel({ digest, path }: LayerFile): Component {
  return { kind: 'model', name: toBaseName(path), path: `/${path}`, digest }
}

function toNode(place: Pick<Component, 'path' | 'digest'>, version: string | undefined): Component {
  const known = version === undefined ? {} : { version, purl: `pkg:generic/node@${version}` }
  return { kind: 'node', name: 'node', license: 'MIT', ...known, ...place }
}

async function readNpmPackage(name: string, file: LayerFile): Promise<Component> {
  const { license, version } = parseObject(await readText(file))
  if (typeof version !== 'string') return { kind: 'package', name }
  const purl = `pkg:npm/${name.replace('@', '%40')}@${encodeURIComponent(version)}`
  return { kind: 'package', name, version, purl, ...toLicense(license) }
}

/** Source: packaging.python.org/specifications/core-metadata. */
async function readPythonPackage(file: LayerFile): Promise<Component | undefined> {
  const head = (await readText(file)).split(/\r?\n\r?\n/, 1)[0] ?? ''
  const field = (name: string): string | undefined => new RegExp(`^${name}: *(\\S.*?)\\s*$`, 'mi').exec(head)?.[1]
  const [name, version] = [field('Name'), field('Version')]
  if (name === undefined || version === undefined) return undefined
  // Names are compared so (packaging.python.org/specifications/name-normalization).
  const normal = name.toLowerCase().replaceAll(/[-_.]+/g, '-')
  const purl = `pkg:pypi/${normal}@${encodeURIComponent(version)}`
  return { kind: 'package', name, version, purl, ...toLicense(field('License-Expression') ?? field('License')) }
}

function toLicense(license: unknown): { readonly license?: string } {
  return typeof license === 'string' && LICENSES.has(license) ? { license } : {}
}

async function readText(file: LayerFile): Promise<string> {
  if (file.sizeBytes > MAX_DESCRIPTION_BYTES) return ''
  const chunks: Uint8Array[] = []
  for await (const chunk of file.open()) chunks.push(Buffer.from(chunk))
  return new TextDecoder().decode(Buffer.concat(chunks))
}

function parseObject(text: string): { readonly [key: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

function toBaseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
