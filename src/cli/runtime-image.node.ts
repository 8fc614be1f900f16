import { findDigest, pushImage, type Reference, toReferenceText } from '../oci/index.ts'
import { type Version, withRuntimeImage } from '../pack/index.ts'
import type { PushWish } from './moving.node.ts'
import type { Call } from './verb.ts'
import type { Workplace } from './workplace.node.ts'

/**
 * Publishes the image without a model that gateway and control run, as `REPOSITORY:regatta-VERSION`, unless the
 * repository has it. Returns its reference where it was pushed. @throws what pushing throws
 */
export async function publishRuntime(
  call: Call,
  { layout }: Workplace,
  { digest }: Version,
  { registry, repository }: Reference,
  wish: Pick<PushWish, 'force' | 'insecure' | 'reach'>,
): Promise<string | undefined> {
  const { clock, env, installation, signal } = call
  const target: Reference = { registry, repository, tag: `regatta-${installation.version}`, digest: undefined }
  const options = { env, clock, insecure: wish.insecure, ...(wish.reach && { reach: wish.reach }) }
  if (!wish.force && (await findDigest(target, options, signal)) !== undefined) return undefined
  const packed = await layout.resolve(digest)
  if (packed === undefined) return undefined
  return await withRuntimeImage(layout, packed, installation.version, async image => {
    await pushImage(layout, image.digest, target, { ...options, force: wish.force }, signal)
    return toReferenceText(target)
  })
}
