import { RegattaError } from '../../core/errors.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import {
  type Descriptor,
  type ImageConfig,
  type Manifest,
  MEDIA_TYPES,
  type Platform,
  parseReference,
} from '../../oci/index.ts'
import { MODEL, REWRITTEN, RUN, VERSION } from '../image/version.ts'

/*
 * What the image-spec v1.1.1 asks of a manifest and a config beside what their readers need: sentences of what was
 * expected and found. Sources: manifest.md, config.md, descriptor.md, annotations.md.
 */

const BASE_NAME = 'org.opencontainers.image.base.name'
const CONFIG_TYPES: readonly string[] = [MEDIA_TYPES.config, 'application/vnd.docker.container.image.v1+json']
/** Values of GOOS and GOARCH (go.dev/doc/install/source). */
const SYSTEMS = /^(linux|windows|darwin|freebsd|netbsd|openbsd|solaris|aix|illumos|android|dragonfly|plan9)$/
const PROCESSORS = /^(amd64|arm64|arm|386|ppc64|ppc64le|mips|mipsle|mips64|mips64le|s390x|riscv64|loong64|wasm)$/

/** A JSON document of an image. @throws MANIFEST */
export function parseDocument(bytes: Uint8Array): JsonObject {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (isObject(value)) return value
  } catch (cause) {
    throw new RegattaError('MANIFEST', 'expected JSON in UTF-8', { cause })
  }
  throw new RegattaError('MANIFEST', 'expected a JSON object')
}

/** What is wrong with a manifest. `value` is the document as it stands. */
export function* checkManifest(manifest: Manifest, value: JsonObject): Iterable<string> {
  const { annotations = {}, artifactType, config, layers } = manifest
  if (value['mediaType'] === undefined) yield 'expected a media type in the manifest, found none'
  if (config.mediaType === MEDIA_TYPES.empty && artifactType === undefined) {
    yield 'expected an artifact type, for its config is the empty one'
  }
  if (!CONFIG_TYPES.includes(config.mediaType)) yield `expected the config of an image, found ${config.mediaType}`
  if (layers.length === 0) yield 'expected at least one layer, found none'
  const base = annotations[BASE_NAME]
  if (base !== undefined && !isFullName(base)) yield `expected a full name as ${BASE_NAME}, found "${base}"`
}

/** What is wrong with a config, by itself and as the config of its manifest. `value` is the document as it stands. */
export function* checkConfig(config: ImageConfig, value: JsonObject, manifest: Manifest): Iterable<string> {
  const { architecture, created, os, rootfs } = config
  const { Env = [], Labels = {} } = config.config
  const type = isObject(value['rootfs']) ? value['rootfs']['type'] : undefined
  if (type !== 'layers') yield `expected "layers" as the type of rootfs, found ${JSON.stringify(type) ?? 'none'}`
  if (rootfs.diff_ids.length !== manifest.layers.length) {
    yield `expected ${manifest.layers.length} diff_ids, one for each layer, found ${rootfs.diff_ids.length}`
  }
  if (!SYSTEMS.test(os) || !PROCESSORS.test(architecture))
    yield `expected a known platform, found ${os}/${architecture}`
  if (created !== undefined && Number.isNaN(Date.parse(created))) yield `expected a date as created, found "${created}"`
  const names = Env.map(pair => pair.split('=', 1)[0])
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) yield `expected each environment variable once, found ${twice} twice`
  for (const name of [MODEL, VERSION, RUN, REWRITTEN]) {
    const [label, annotation] = [Labels[name], manifest.annotations?.[name]]
    if (label !== annotation) yield `expected the same ${name} in config and manifest, found ${label} and ${annotation}`
  }
  yield* checkHistory(value['history'], manifest)
}

/** What is wrong with an index's entry of an image, given what the image's config says that it runs on. */
export function* checkEntry({ platform }: Descriptor, found: Platform): Iterable<string> {
  if (platform === undefined || (platform.os === found.os && platform.architecture === found.architecture)) return
  const entry = `${platform.os}/${platform.architecture}`
  yield `expected the platform of its config, ${found.os}/${found.architecture}, in the index, found ${entry}`
}

/** History is optional; one entry belongs to each layer, and others are marked as empty. */
function* checkHistory(history: unknown, { layers }: Manifest): Iterable<string> {
  if (!Array.isArray(history)) return
  const full = history.filter(entry => !(isObject(entry) && entry['empty_layer'] === true))
  if (full.length !== layers.length) yield `expected ${layers.length} entries of history, found ${full.length}`
}

function isFullName(name: string): boolean {
  try {
    const { registry } = parseReference(name)
    return name.startsWith(`${registry}/`)
  } catch {
    return false
  }
}
