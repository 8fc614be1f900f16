import type { Digest } from '../../core/brands.ts'
import { RegattaError } from '../../core/errors.ts'
import { type ImageLayout, readImageAnnotations } from '../../oci/index.ts'
import { toControlError } from '../errors.ts'
import type { Wish } from './deployment.ts'

/** Annotation of an image: the version of the model in it. */
const VERSION = 'dev.regatta.version'

/** Makes sure that the wished image is there and holds the wished version. @throws DIGEST_UNKNOWN, VERSION_UNKNOWN */
export async function requireImage(layout: ImageLayout, { digest, version }: Wish): Promise<void> {
  if (!(await layout.hasBlob(digest))) {
    throw toControlError(
      'DIGEST_UNKNOWN',
      `Cannot deploy version ${version}: image ${digest} is not in this project's image layout`,
      'Pack the run first: regatta pack',
    )
  }
  const found = await readVersion(layout, digest)
  if (found === String(version)) return
  throw toControlError(
    'VERSION_UNKNOWN',
    `Cannot deploy version ${version}: image ${digest} holds ${found === undefined ? 'no version' : `version ${found}`}`,
    'Name the version and the digest that regatta pack printed together',
  )
}

/** The version that an image holds; undefined for what holds none, or is no image. */
async function readVersion(layout: ImageLayout, digest: Digest): Promise<string | undefined> {
  try {
    return (await readImageAnnotations(layout, digest))[VERSION]
  } catch (error) {
    if (error instanceof RegattaError && error.code === 'MANIFEST') return undefined
    throw error
  }
}
