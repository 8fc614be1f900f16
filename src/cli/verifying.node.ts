import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { RegattaError, UsageError } from '../core/errors.ts'
import {
  type Descriptor,
  type ImageLayout,
  type Location,
  openLayout,
  parseLocation,
  pullImage,
  toReferenceText,
} from '../oci/index.ts'
import { toLayoutPlace, type VerifiedImage, verifyImage } from '../pack/index.ts'
import type { Call } from './verb.ts'
import { resolveVersion } from './versions.node.ts'
import { openWorkplace, toRegistryOptions } from './workplace.node.ts'

/** Which image, and how to reach it. */
export interface VerifyWish {
  /** A version's number, a digest, `oci:PATH[:NAME]` or a reference; undefined: the latest version. */
  readonly image: string | undefined
  readonly insecure: boolean
}

/** Verifies the wished image. @throws VERSION_*, IMAGE_NONE, IMAGE_MANY, LAYOUT_NONE, and what pulling throws */
export async function verifyWished(call: Call, { image, insecure }: VerifyWish): Promise<VerifiedImage> {
  if (image === undefined || /^\d+$/.test(image)) {
    const workplace = await openWorkplace(call)
    const { digest } = await resolveVersion(workplace, image)
    return await verifyEntry(call, workplace.layout, digest)
  }
  if (image.startsWith('sha256:')) return await verifyEntry(call, (await openWorkplace(call)).layout, image)
  const location = readLocation(image)
  if (location.kind === 'registry') return await verifyPulled(call, location, insecure)
  const folder = resolve(call.cwd, location.folder)
  if (!existsSync(join(folder, 'oci-layout'))) {
    throw new RegattaError('LAYOUT_NONE', `Cannot verify "${folder}": it is no image layout`, {
      fix: 'Name a folder that holds a file "oci-layout"',
    })
  }
  return await verifyEntry(call, await openLayout(folder), location.name)
}

/** An image of a registry is read whole anyway: it is pulled into a folder that goes away. */
async function verifyPulled(
  call: Call,
  { reference }: Extract<Location, { kind: 'registry' }>,
  insecure: boolean,
): Promise<VerifiedImage> {
  const folder = await mkdtemp(join(tmpdir(), 'regatta-verify-'))
  try {
    const layout = await openLayout(folder)
    call.err(`pulling ${toReferenceText(reference)}\n`)
    const { digest } = await pullImage(reference, layout, toRegistryOptions(call, insecure), call.signal)
    return await verifyEntry(call, layout, digest)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function verifyEntry(call: Call, layout: ImageLayout, name: string | undefined): Promise<VerifiedImage> {
  const { digest, mediaType, size } = await findImage(layout, name)
  return await verifyImage(toLayoutPlace(layout, digest), { digest, mediaType, size }, call.signal)
}

/** The image of a name or digest, or the only one. */
async function findImage(layout: ImageLayout, name: string | undefined): Promise<Descriptor> {
  const images = (await layout.list()).filter(({ artifactType }) => artifactType === undefined)
  const found = name === undefined ? images[0] : await layout.resolve(name)
  const names = [...new Set(images.map(({ digest, ref }) => ref ?? digest))].join(', ')
  if (found === undefined) {
    const wanted = name === undefined ? 'it holds none' : `it holds no "${name}"`
    throw new RegattaError('IMAGE_NONE', `Cannot find an image in "${layout.folder}": ${wanted}`, {
      ...(names !== '' && { fix: `Name one of these: ${names}` }),
    })
  }
  if (name === undefined && images.some(({ digest }) => digest !== found.digest)) {
    throw new RegattaError('IMAGE_MANY', `Cannot choose an image of "${layout.folder}": it holds several`, {
      fix: `Name one of these after the path and a colon: ${names}`,
    })
  }
  return found
}

/** What somebody typed: a mistake in it is wrong usage. */
function readLocation(text: string): Location {
  try {
    return parseLocation(text)
  } catch (error) {
    if (!(error instanceof RegattaError)) throw error
    throw new UsageError(error.code, error.message, {
      fix: 'Name a version, a digest, oci:PATH or a reference such as registry.example.com/team/forecast:1',
    })
  }
}
