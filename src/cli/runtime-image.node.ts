import { findDigest, pushImage, type Reference } from '../oci/index.ts'
import { type Version, withRuntimeImage } from '../pack/index.ts'
import type { PushWish } from './moving.node.ts'
import type { Call } from './verb.ts'
import { toRegistryOptions, type Workplace } from './workplace.node.ts'

/** The image without a model that gateway and control run, in the repository of a project. */
export interface RuntimeImage {
  /** `REPOSITORY:regatta-VERSION`. */
  readonly reference: Reference
  /** Whether the repository has it. @throws what reading of a registry throws */
  readonly isThere: () => Promise<boolean>
  /** Makes it of a version and pushes it; false where the version has no runtime to make it of. @throws what pushing throws */
  readonly push: (version: Version) => Promise<boolean>
}

/** Names the image without a model beside the versions of a repository. */
export function toRuntimeImage(
  call: Call,
  { layout }: Workplace,
  { registry, repository }: Reference,
  { force, insecure, reach }: Pick<PushWish, 'force' | 'insecure' | 'reach'>,
): RuntimeImage {
  const { installation, signal } = call
  const reference: Reference = { registry, repository, tag: `regatta-${installation.version}`, digest: undefined }
  const options = { ...toRegistryOptions(call, insecure), force, ...(reach && { reach }) }
  return {
    reference,
    isThere: async () => (await findDigest(reference, options, signal)) !== undefined,
    async push({ digest }) {
      const packed = await layout.resolve(digest)
      if (packed === undefined) return false
      const pushed = await withRuntimeImage(layout, packed, installation.version, image =>
        pushImage(layout, image.digest, reference, options, signal),
      )
      return pushed !== undefined
    },
  }
}
