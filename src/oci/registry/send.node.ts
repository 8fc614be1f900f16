import type { Digest } from '../../core/brands.ts'
import { RegattaError, UsageError } from '../../core/errors.ts'
import { parseReference, type Reference, toReferenceText } from '../reference.ts'
import { fetchDigestIfAny, toText } from './content.node.ts'
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
  const sent =
    there === root.descriptor.digest
      ? await toPresent(source, root)
      : await transferImage(source, toRegistrySink(exchange, name, options.ahead), root, wish)
  for (const digest of missing) await sendAbout(open, exchange, digest, wish)
  return sent
}

/** What is about the image and not in the repository. */
async function listMissing(
  { listAbout, root }: OpenSource,
  exchange: Exchange,
  signal: AbortSignal,
): Promise<readonly Digest[]> {
  const about = await listAbout(root.descriptor.digest)
  const found = await Promise.all(about.map(({ digest }) => fetchDigestIfAny(exchange, digest, signal)))
  return about.map(({ digest }) => digest).filter((_, at) => found[at] === undefined)
}

/** What is about the image goes after it: it is no part of it, and found by its digest. */
async function sendAbout(
  { source }: OpenSource,
  exchange: Exchange,
  digest: Digest,
  wish: TransferWish,
): Promise<void> {
  const document = await source.readDocument(digest)
  await transferImage(source, toRegistrySink(exchange, digest), document, wish)
}

function toTaken(name: string, there: Digest, wanted: Digest): RegattaError {
  return new RegattaError('TAG_TAKEN', `Cannot push ${wanted} as ${name}: the tag stands for ${there}`, {
    fix: 'Push under another tag, or move it with --force',
  })
}
