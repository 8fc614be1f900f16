import { type Digest, parseDigest } from '../core/brands.ts'
import { RegattaError } from '../core/errors.ts'

/** An image in a registry; `tag`, `digest`, both or neither may be given. */
export interface Reference {
  /** Host, with its port where it has one: `registry.example.com:5000`. */
  readonly registry: string
  /** Path within the registry: `team/forecast`. */
  readonly repository: string
  readonly tag: string | undefined
  readonly digest: Digest | undefined
}

/** A tag (distribution-spec, "Pulling manifests"). */
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
/** A repository's name (distribution-spec, "Pulling manifests"). */
const REPOSITORY = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/
const REGISTRY =
  /^([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?$/
/** A name in an image layout (image-spec, annotations.md, `org.opencontainers.image.ref.name`). */
const REF = /^[A-Za-z0-9]+(([-._:@+]|--)[A-Za-z0-9]+)*(\/[A-Za-z0-9]+(([-._:@+]|--)[A-Za-z0-9]+)*)*$/
const MAX_NAME_LENGTH = 255
const TAG_RULE = '1–128 of A–Z, a–z, 0–9, _, . and -, the first no . or -'
const REGISTRY_RULE = 'a host name, with a port where it has one'
const REPOSITORY_RULE = 'lower-case letters and digits, joined by one of . _ - / or by __'

/**
 * Reads `REGISTRY/REPOSITORY[:TAG][@DIGEST]`; a first part without dot, colon or "localhost" is no host, so
 * `node` means `docker.io/library/node` (the rule of github.com/distribution/reference). @throws REFERENCE, which names the part
 */
export function parseReference(text: string): Reference {
  const [named = '', digestText, ...rest] = text.split('@')
  if (rest.length > 0) throw unreadable(text, 'at most one @')
  const digest = digestText === undefined ? undefined : readDigest(text, digestText)
  const mark = named.lastIndexOf(':')
  const hasTag = mark > named.lastIndexOf('/')
  const tag = hasTag ? named.slice(mark + 1) : undefined
  if (tag !== undefined && !TAG.test(tag)) throw unreadable(text, TAG_RULE, toPart('tag', tag))
  const { registry, repository } = toNames(hasTag ? named.slice(0, mark) : named)
  if (!REGISTRY.test(registry)) throw unreadable(text, REGISTRY_RULE, toPart('registry', registry))
  if (!REPOSITORY.test(repository)) throw unreadable(text, REPOSITORY_RULE, toPart('repository', repository))
  if (registry.length + repository.length + 1 > MAX_NAME_LENGTH) {
    throw unreadable(text, `at most ${MAX_NAME_LENGTH} characters before the tag`)
  }
  return { registry, repository, tag, digest }
}

/** The reference in full, as `parseReference` reads it. */
export function toReferenceText(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`
  return `${reference.registry}/${reference.repository}${tag}${digest}`
}

/** Checks a name for an image layout's index. @throws REF_NAME */
export function parseRefName(text: string): string {
  if (REF.test(text)) return text
  throw new RegattaError(
    'REF_NAME',
    `Cannot use "${text}" as a name in an image layout: expected letters and digits, joined by one of - . _ : @ + / or by --`,
    { fix: 'Choose another name, for example "forecast-1"' },
  )
}

function toNames(name: string): { readonly registry: string; readonly repository: string } {
  const slash = name.indexOf('/')
  const first = name.slice(0, Math.max(slash, 0))
  if (first !== '' && (/[.:]/.test(first) || first === 'localhost')) {
    return { registry: first, repository: name.slice(slash + 1) }
  }
  return { registry: 'docker.io', repository: slash === -1 ? `library/${name}` : name }
}

function readDigest(text: string, digest: string): Digest {
  try {
    return parseDigest(digest)
  } catch {
    throw unreadable(text, 'sha256: and 64 lower-case hex digits', toPart('digest', digest))
  }
}

function toPart(name: string, found: string): string {
  return found === '' ? `, its ${name} is empty` : `, its ${name} is "${found}"`
}

function unreadable(text: string, wanted: string, part = ''): RegattaError {
  return new RegattaError('REFERENCE', `Cannot read image reference "${text}"${part}: expected ${wanted}`, {
    fix: 'Write for example "registry.example.com/team/forecast:1"',
  })
}
