import type { Digest } from '../../core/brands.ts'
import { RegattaError, UsageError } from '../../core/errors.ts'
import { parseReference, type Reference, toReferenceText } from '../reference.ts'
import { fetchDigestIfAny, toText } from './content.node.ts'
import type { Document } from './document.ts'
import { type Exchange, openExchange } from './exchange.node.ts'
import { toRegistrySink } from './image.node.ts'
import type { PushOptions } from './options.ts'
import type { OpenSource } from './source.node.ts'
import { type Transferred, type TransferWish, toPresent, transferImage } from './transfer.ts'

/** Sends an image to a repository, and what is about it. @throws as `pushImage` */
export async function sendTo(
  open: OpenSource,
  target: Reference,
  options: PushOptions,
  signal: AbortSignal,
): Promise<Transferred> {
  const { root, source } = open
  const { registry, repository } = target
  if (target.digest !== undefined && target.digest !== root.descriptor.digest) {
    throw new UsageError(
      'REFERENCE',
      `Cannot push ${root.descriptor.digest} as "${toReferenceText(target)}": it names another digest`,
      {
        fix: 'Leave the digest out',
      },
    )
  }
  const home = source.home === undefined ? undefined : parseReference(source.home)
  const mountFrom = home?.registry === registry ? [home.repository] : []
  await using exchange = await openExchange({ registry, repository, push: true, mountFrom }, options, signal)
  const name = target.tag ?? root.descriptor.digest
  const wish: TransferWish = { onEvent: options.onProgress ?? (() => undefined), signal }
  const [there, missing] = await Promise.all([
    fetchDigestIfAny(exchange, name, signal),
    listMissing(open, exchange, signal),
  ])
  if (there !== undefined && there !== root.descriptor.digest && options.force !== true) {
    throw toTaken(toText(exchange, name), there, root.descriptor.digest)
  }
  const sink = toRegistrySink(exchange, name, options.ahead)
  if (there !== root.descriptor.digest) return await transferImage(source, sink, root, wish, missing)
  for (const document of missing) {
    await transferImage(source, toRegistrySink(exchange, document.descriptor.digest), document, wish)
  }
  return await toPresent(source, root)
}

/** What is about the image and not in the repository. */
async function listMissing(
  { listAbout, root, source }: OpenSource,
  exchange: Exchange,
  signal: AbortSignal,
): Promise<readonly Document[]> {
  const about = await listAbout(root.descriptor.digest)
  const found = await Promise.all(about.map(({ digest }) => fetchDigestIfAny(exchange, digest, signal)))
  const missing = about.filter((_, at) => found[at] === undefined)
  return await Promise.all(missing.map(({ digest }) => source.readDocument(digest)))
}

function toTaken(name: string, there: Digest, wanted: Digest): RegattaError {
  return new RegattaError('TAG_TAKEN', `Cannot push ${wanted} as ${name}: the tag stands for ${there}`, {
    fix: 'Push under another tag, or move it with --force',
  })
}
